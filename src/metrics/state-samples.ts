/** Families without an instrument: what they show is not added up but read when a scrape is written. */
import type { HrTime } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import { type Family, TARGET_INFO } from '../views';
import { prometheusLabelName } from '../views/prometheus-names';
import type { Point } from './points';

/** A sample of such a family. */
export interface StateSample {
  readonly family: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A directory may have thousands of samples. */
export function byFamily(samples: readonly StateSample[]): ReadonlyMap<string, readonly StateSample[]> {
  const families = new Map<string, StateSample[]>();
  for (const sample of samples) {
    const known = families.get(sample.family);
    if (known === undefined) families.set(sample.family, [sample]);
    else known.push(sample);
  }
  return families;
}

/** @param times of all points, which share them */
export function statePoints(
  { fixed }: Family,
  samples: readonly StateSample[],
  { startTime, endTime }: { readonly startTime: HrTime; readonly endTime: HrTime },
): Point[] {
  return samples.map(({ labels, value }) => ({
    startTime,
    endTime,
    attributes: fixed === undefined ? labels : { ...fixed, ...labels },
    value,
  }));
}

/** @returns the sample of `target_info` */
export function targetSample(resource: Resource): StateSample {
  return { family: TARGET_INFO.name, labels: resourceLabels(resource), value: 1 };
}

/** Two attributes that would be written alike are one label: a label that stands twice spoils the scrape. */
function resourceLabels({ attributes }: Resource): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [prometheusLabelName(name), String(value)]),
  );
}

/** What one process measures with, without sources and server: instruments, and a hub that adds them up. */
import assert from 'node:assert/strict';
import type { CollectionResult } from '@opentelemetry/sdk-metrics';
import { metricsText } from '../../src/exporter/text/exposition';
import { createInstruments, type InstrumentsSettings, takeDeltas } from '../../src/metrics/instruments';
import type { LabelName } from '../../src/metrics/label-limits';
import { type DeltaSource, ServiceTotals } from '../../src/metrics/totals';
import { createViews, families, type ViewSettings } from '../../src/views';
import { type Metrics, parseMetrics } from './metrics';

const UNBOUNDED: Readonly<Record<LabelName, number>> = {
  path: 100_000,
  f_code: 100_000,
  method_code: 100_000,
  code: 100_000,
  topic: 100_000,
  action_code: 100_000,
  url: 100_000,
};

/** A replaced value, by family and label; `all` where the family was full. */
export type Overflow = readonly [family: string, label: string];

export const SERIES_LIMIT = 2_000;

export function createMeasuring(settings: ViewSettings, limits?: Partial<InstrumentsSettings['labelValuesLimit']>) {
  const catalogue = families(settings);
  const overflows: Overflow[] = [];
  let changes = 0;
  const instruments = createInstruments(
    createViews(catalogue, SERIES_LIMIT),
    { syscode: settings.syscode, env: 'PROD', labelValuesLimit: { ...UNBOUNDED, ...limits } },
    {
      onOverflow: (family, label) => overflows.push([family, label]),
      onSeriesOverflow: (family) => overflows.push([family, 'all']),
      onChange: () => {
        changes++;
      },
    },
  );
  const source: DeltaSource = {
    collect: async () => ({ deltas: takeDeltas(instruments), scopeMetrics: [], errors: [] }),
    takeDeltas: () => takeDeltas(instruments),
  };
  const hub = new ServiceTotals(catalogue, source, { seriesLimit: SERIES_LIMIT });
  return {
    catalogue,
    instruments,
    source,
    hub,
    overflows,
    /** Times that it was told that there is something to hand over. */
    changes: () => changes,
    scrape: () => scrapeOf(hub),
  };
}

/** Collects as a server would, which keeps the process: nothing of ours does. */
export async function collectFrom(hub: ServiceTotals): Promise<CollectionResult> {
  const server = setInterval(() => undefined, 1_000);
  try {
    return await hub.collect();
  } finally {
    clearInterval(server);
  }
}

export async function scrapeOf(hub: ServiceTotals): Promise<Metrics> {
  const { resourceMetrics, errors } = await collectFrom(hub);
  assert.deepEqual(errors, []);
  return parseMetrics(metricsText(resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics)));
}

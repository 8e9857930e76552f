/**
 * What the processes of a service say of themselves: the last reading of each one that is there. A process that has
 * ended takes its series with it: its memory is free, and a counter that stood still would say that it is idle.
 *
 * Where there are several, each series has the label `process`, so that nobody adds up what cannot be told apart.
 */
import type { HrTime } from '@opentelemetry/api';
import type { DataPoint, Histogram, MetricData } from '@opentelemetry/sdk-metrics';
import { hrTimeNow, hrTimeOf } from '../runtime/hr-time';
import { RUNTIME_FAMILIES, type RuntimeFamily } from '../views/runtime-families';
import type { Deltas, FamilyDelta, SeriesDelta } from './deltas';
import { cleanLabelValue } from './label-limits';
import { firstValue, metricData, shapeFault } from './points';
import type { ProcessFamilies } from './totals';

/** Series that a process may have in a family: more than types of resources and spaces of the heap. */
export const MAX_SERIES = 48;
const PROCESS = 'process';
const FAMILIES: readonly RuntimeFamily[] = Object.values(RUNTIME_FAMILIES);

type Point = DataPoint<number> | DataPoint<Histogram>;

interface ProcessReading {
  readonly pid: number;
  readonly values: ReadonlyMap<string, FamilyDelta>;
}

export class ProcessReadings implements ProcessFamilies {
  /** Their names are ours, on this scrape. */
  readonly families: readonly RuntimeFamily[] = FAMILIES;

  private own: ProcessReading | undefined;
  /** By member. */
  private readonly members = new Map<string, ProcessReading>();
  /** Of what does not say when it began. */
  private readonly startTime: HrTime = hrTimeNow();
  private isOneOfSeveral = false;

  /** This process is, or has been, one of several; its series bear their label from now on, lest they change again. */
  severalProcesses(): void {
    this.isOneOfSeveral = true;
  }

  /** @param deltas since this process began */
  readOwn(deltas: Deltas): void {
    this.own = { pid: process.pid, values: byFamily(deltas) };
  }

  /** @param deltas of a member, since it began; what is not as ours is left out */
  received(member: string, pid: number, deltas: Deltas): void {
    this.severalProcesses();
    this.members.set(member, { pid, values: byFamily(deltas.map(bounded)) });
  }

  left(member: string): void {
    this.members.delete(member);
  }

  /** Families of which no process says anything are left out: the system does not have them. */
  produce(endTime: HrTime): MetricData[] {
    // no series twice, whatever a member gives as its pid
    const processes = new Map<number, ProcessReading>();
    for (const each of [...this.members.values(), ...(this.own === undefined ? [] : [this.own])]) {
      processes.set(each.pid, each);
    }
    return FAMILIES.flatMap((family) => {
      const points = Array.from(processes.values(), (each) => this.pointsOf(family, each, endTime)).flat();
      return points.length === 0 ? [] : [metricData(family, points)];
    });
  }

  private pointsOf(family: RuntimeFamily, { pid, values }: ProcessReading, endTime: HrTime): Point[] {
    const delta = values.get(family.name);
    if (delta === undefined) return [];
    const { isOneOfSeveral, startTime } = this;
    return delta.series.map((row) => {
      const begin = 'begin' in row && Number.isFinite(row.begin) ? hrTimeOf(row.begin as number) : startTime;
      const labels = delta.labels.map((label, index) => [label, row.values[index] as string]);
      const attributes = Object.fromEntries(isOneOfSeveral ? [[PROCESS, String(pid)], ...labels] : labels);
      return { attributes, startTime: begin, endTime, value: firstValue(family, row) } as Point;
    });
  }
}

/** Families that this process would write in the same way, each once. */
function byFamily(deltas: Deltas): ReadonlyMap<string, FamilyDelta> {
  const known = new Map<string, FamilyDelta>();
  for (const family of FAMILIES) {
    const delta = deltas.find(({ family: name }) => name === family.name);
    if (delta === undefined || shapeFault(delta, family) !== undefined) continue;
    if (delta.labels.join() === family.labels.join()) known.set(family.name, delta);
  }
  return known;
}

/** With printable labels of a bounded length, and no series twice. */
function bounded(delta: FamilyDelta): FamilyDelta {
  const series = new Map<string, SeriesDelta>();
  for (const row of delta.series.slice(0, MAX_SERIES)) {
    const values = row.values.map(cleanLabelValue);
    series.set(JSON.stringify(values), { ...row, values });
  }
  return { ...delta, series: [...series.values()] };
}

/**
 * Adds up what was measured since the last collection to what was measured before.
 *
 * It takes deltas, of this process and of its members, and produces the totals that a scrape shows. Totals of several
 * processes could not be added without counting those of an ended process twice.
 */
import type { HrTime } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { CollectionResult, MetricData, MetricProducer } from '@opentelemetry/sdk-metrics';
import { hrTimeNow, hrTimeOf } from '../runtime/hr-time';
import { TimeSlice } from '../runtime/time-slice';
import type { Family } from '../views';
import { METER_NAME } from '../views/metric-names';
import { type ApplicationFamilyDelta, ApplicationTotals } from './application-totals';
import type { Deltas, FamilyDelta, SeriesDelta } from './deltas';
import { wholeTotals } from './legacy';
import { addTo, firstValue, metricData, type Point, shapeFault } from './points';
import type { FamilyRoom } from './series-room';
import { byFamily, type StateSample, statePoints, targetSample } from './state-samples';

/** Where deltas come from. */
export interface DeltaSource {
  /** First: collects what was measured until now. @returns errors that make the collection incomplete */
  collect(): Promise<readonly unknown[]>;
  /** Second: takes what was collected. Until then a process that ends hands it over. */
  take(): Deltas;
  /** All of it at once, collected or not, for a process that ends; of observable instruments what was collected. */
  takeNow(): Deltas;
}

/** Why a member's deltas were not added; the hub itself refuses `connections`, `malformed` messages and `labels`. */
export const DROP_REASONS = ['connections', 'malformed', 'family', 'labels', 'boundaries', 'series', 'clash'] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** This process's own series and those of its members may each reach the limit. */
const MOST_OVER_LIMIT = 2;

interface FamilyTotals {
  readonly family: Family;
  /** Of its series, in their order, as a collection hands them on. */
  readonly points: Point[];
  /** The same by {@link seriesKey}; undefined until another process has series: those of this one are found without. */
  index: Map<string, Point> | undefined;
}

export interface TotalsOptions {
  /** The service, as everything that reads the totals names it. */
  readonly resource: Resource;
  /** Series that a family may have. */
  readonly seriesLimit: number;
  /** The limits that members' series have, by family; one that is not in it has none but that of its series. */
  readonly rooms: ReadonlyMap<string, FamilyRoom>;
  /** Families of which each process has its own values; absent where there are none. */
  readonly processes?: ProcessFamilies | undefined;
}

/** What processes say of themselves, which is not added up. */
export interface ProcessFamilies {
  /** All that there may be; their names are taken. */
  readonly families: readonly Family[];
  produce(endTime: HrTime): MetricData[];
}

/** The other processes of the service, whose deltas arrive through `addDeltas`. */
export interface Members {
  /**
   * Called before own deltas are taken: asks the members for theirs, and waits until they are added.
   * @returns how many did not answer in time
   */
  gather(): Promise<number>;
  /** Settles when it is known whether another hub's totals come; see `inherit`. */
  begun?(): Promise<unknown>;
  /** Read after everything is added. */
  state(): readonly StateSample[];
  /** The same of the families that are details. */
  details?(): readonly StateSample[];
}

export class ServiceTotals implements MetricProducer {
  private readonly totals: ReadonlyMap<string, FamilyTotals>;
  /** Totals of series of this process, whose values are the same object each time. */
  private readonly known = new WeakMap<readonly string[], Point>();
  private readonly application: ApplicationTotals;
  private members: Members | undefined;
  private readonly target: StateSample;
  /** Since when its own state is counted. */
  private readonly startTime: HrTime = hrTimeNow();
  /** When the last collection began: a series that is new since then was measured later. New series share it. */
  private beginTime: HrTime = this.startTime;
  private marks = 0;
  /** What this process measured, as far as it is not added yet. */
  private adding: Iterable<void> = [];
  /** Whether a collection has begun: what it gives may be seen. */
  private hasCollected = false;
  /** Whether what there is was left to the next hub; whoever reads more here would see it twice. */
  private hasLeft = false;
  /** Of the last collection; all points share it. */
  private readonly endTime: HrTime = hrTimeNow();
  /** Settles when the last collection has ended: several readers may ask at the same time. */
  private last: Promise<unknown> = Promise.resolve();

  /**
   * @param catalogue every family of our own meter, shown also without observations; the families of the application's
   *   meters follow, under names that are not in it
   * @param own deltas of this process
   */
  constructor(
    catalogue: readonly Family[],
    private readonly own: DeltaSource,
    private readonly options: TotalsOptions,
  ) {
    this.totals = new Map(catalogue.map((family) => [family.name, { family, points: [], index: undefined }]));
    const taken = [...catalogue, ...(options.processes?.families ?? [])];
    this.application = new ApplicationTotals(taken, options.seriesLimit, this.endTime);
    this.target = targetSample(options.resource);
  }

  /** From now on each collection begins with the deltas of these. */
  include(members: Members): void {
    this.members = members;
  }

  async begun(): Promise<void> {
    await this.members?.begun?.();
  }

  private get beginning(): { readonly startTime: HrTime; readonly arrival: number } {
    return { startTime: this.beginTime, arrival: this.marks };
  }

  /** @returns a number that is higher than the arrival of every series that there is, and of none that will come */
  mark(): number {
    return ++this.marks;
  }

  /**
   * @returns totals since the start, with the errors of the collection; they go on being added to, so that a reader that
   *   keeps them copies them
   */
  collect(): Promise<CollectionResult> {
    const collection = this.last.then(() => this.collectOnce());
    this.last = collection.catch(() => undefined);
    return collection;
  }

  /** @returns the families that are details, as of the last collection */
  details(): MetricData[] {
    const state = byFamily(this.members?.details?.() ?? []);
    return [...this.totals.values()].filter(({ family }) => family.isDetail === true).map(this.metricOf(state));
  }

  private async collectOnce(): Promise<CollectionResult> {
    const beginTime = hrTimeNow();
    this.application.begin();
    const late = (await this.members?.gather()) ?? 0;
    if (late > 0) this.application.keepUnseen();
    const errors = await this.own.collect();
    const deltas = this.own.take();
    const slice = new TimeSlice();
    this.adding = this.addOwn(deltas);
    for (const _series of this.adding) if (slice.isOver()) await slice.wait();
    this.hasCollected = true;
    if (this.hasLeft) throw new Error('the exporter has ended');
    const scope = { scope: { name: METER_NAME }, metrics: this.produce() };
    this.beginTime = beginTime;
    return { resourceMetrics: { resource: this.options.resource, scopeMetrics: [scope] }, errors: [...errors] };
  }

  /** Adds a member's deltas. @returns how many series were dropped, and why */
  addDeltas(deltas: Deltas): ReadonlyMap<DropReason, number> {
    const dropped = new Map<DropReason, number>();
    const drop = (reason: DropReason, count: number) => dropped.set(reason, (dropped.get(reason) ?? 0) + count);
    for (const delta of deltas) {
      if (isApplications(delta)) {
        const fault = this.application.add(delta, this.beginning, false);
        if (fault !== undefined) drop(fault.reason, fault.count);
        continue;
      }
      const totals = this.totals.get(delta.family);
      const fault = totals === undefined ? 'family' : faultOf(delta, totals.family);
      if (totals === undefined || fault !== undefined) {
        drop(fault ?? 'family', delta.series.length);
        continue;
      }
      for (const row of delta.series) if (!this.addMembers(totals, delta, row)) drop('series', 1);
    }
    return dropped;
  }

  /** Each process bounds its series, but a hub outlives many processes. @returns whether there was room */
  private addMembers(totals: FamilyTotals, delta: FamilyDelta, row: SeriesDelta): boolean {
    const { rooms } = this.options;
    const { family, points } = totals;
    const { seriesLimit = this.options.seriesLimit } = family;
    const series = indexOf(totals);
    let point = series.get(seriesKey(delta, row));
    let added = row;
    const room = point === undefined ? rooms.get(family.name) : undefined;
    if (room !== undefined) {
      added = { ...row, values: room.fit(row.values, row.isPath === true, points.length) };
      point = series.get(seriesKey(delta, added));
    }
    // a well-behaved member has few series that cannot be folded
    if (point === undefined && points.length >= seriesLimit * MOST_OVER_LIMIT) return false;
    if (point === undefined) this.begin(totals, delta, added);
    else addTo(point, added);
    return true;
  }

  /** Goes on each time when a series is added; of the application's, a family. */
  private *addOwn(deltas: Deltas): Generator<void> {
    for (const delta of deltas) {
      if (isApplications(delta)) {
        this.application.add(delta, this.beginning, true);
        yield;
        continue;
      }
      const totals = this.totals.get(delta.family);
      if (totals === undefined) continue;
      for (const row of delta.series) {
        this.addOwnRow(totals, delta, row);
        yield;
      }
    }
  }

  private addOwnRow(totals: FamilyTotals, delta: FamilyDelta, row: SeriesDelta): void {
    const point = this.known.get(row.values) ?? totals.index?.get(seriesKey(delta, row));
    if (point !== undefined) addTo(point, row);
    this.known.set(row.values, point ?? this.begin(totals, delta, row));
  }

  /**
   * For a hub that ends, in one step; nothing can be collected after that.
   * @returns the totals of our own counters and histograms, new series first
   */
  leave(): Deltas {
    // a process does not wait for a collection that is under way
    for (const rest of [this.adding, this.addOwn(this.own.takeNow())]) for (const _series of rest);
    this.hasLeft = true;
    return wholeTotals(
      [...this.totals.values()].filter(({ family }) => family.instrument !== undefined),
      this.options.rooms,
    );
  }

  /** Whether totals of a hub that has ended can be these from now on: nobody has seen others here. */
  get isFresh(): boolean {
    return !this.hasCollected;
  }

  /**
   * Goes on with the totals of the hub before; call while {@link isFresh}. A series for which there is no room as it is
   * begins again: folded into another one, it would be a jump there.
   * @param mark of that hub
   */
  inherit(left: Deltas, mark: number): void {
    this.marks = Math.max(this.marks, mark);
    for (const delta of left) {
      const totals = this.totals.get(delta.family);
      if (totals === undefined || faultOf(delta, totals.family) !== undefined) continue;
      for (const row of delta.series) this.inheritRow(totals, delta, row);
    }
  }

  private inheritRow(totals: FamilyTotals, delta: FamilyDelta, row: SeriesDelta): void {
    const { family, points } = totals;
    const { begin, arrival } = row;
    if ('last' in row || begin === undefined) return;
    const known = indexOf(totals).get(seriesKey(delta, row));
    if (known !== undefined) {
      addTo(known, row);
      Object.assign(known, { startTime: hrTimeOf(begin), arrival });
      return;
    }
    if (points.length >= (family.seriesLimit ?? this.options.seriesLimit) * MOST_OVER_LIMIT) return;
    const fitted = this.options.rooms.get(family.name)?.fit(row.values, row.isPath === true, points.length);
    if (fitted?.some((value, index) => value !== row.values[index])) return;
    Object.assign(this.begin(totals, delta, row), { arrival });
  }

  private begin({ family, points, index }: FamilyTotals, delta: FamilyDelta, row: SeriesDelta): Point {
    const attributes = Object.fromEntries(delta.labels.map((label, index) => [label, row.values[index] as string]));
    const { beginning, endTime } = this;
    const { arrival } = beginning;
    const startTime = 'begin' in row && row.begin !== undefined ? hrTimeOf(row.begin) : beginning.startTime;
    const value = firstValue(family, row);
    const point = { startTime, endTime, attributes, value, ...('last' in row ? {} : { arrival }) } as Point;
    if ('buckets' in row && row.exponential !== undefined) Object.assign(point, { exponential: row.exponential });
    index?.set(seriesKey(delta, row), point);
    points.push(point);
    return point;
  }

  private produce(): MetricData[] {
    Object.assign(this.endTime, hrTimeNow());
    const state = byFamily([this.target, ...(this.members?.state() ?? [])]);
    const shown = [...this.totals.values()].filter(
      ({ family, points }) => family.isDetail !== true && (points.length > 0 || family.isShown?.() !== false),
    );
    const ofProcesses = this.options.processes?.produce(this.endTime) ?? [];
    return [...shown.map(this.metricOf(state)), ...ofProcesses, ...this.application.produce()];
  }

  private metricOf(state: ReadonlyMap<string, readonly StateSample[]>) {
    const times = { startTime: this.startTime, endTime: this.endTime };
    return ({ family, points }: FamilyTotals): MetricData =>
      metricData(
        family,
        family.instrument === undefined ? statePoints(family, state.get(family.name) ?? [], times) : points,
      );
  }
}

function isApplications(delta: FamilyDelta): delta is ApplicationFamilyDelta {
  return delta.instrument !== undefined;
}

/** A member may run with other settings than the hub, or with another version of this package. */
function faultOf(delta: FamilyDelta, family: Family): DropReason | undefined {
  return family.instrument === undefined ? 'family' : shapeFault(delta, family);
}

function indexOf(totals: FamilyTotals): Map<string, Point> {
  totals.index ??= new Map(totals.points.map((point) => [pointKey(point), point]));
  return totals.index;
}

/** Labels come in one order per family, so that equal ones have equal texts. */
function seriesKey({ labels }: FamilyDelta, { values }: SeriesDelta): string {
  return keyOf(labels, values);
}

function pointKey({ attributes }: Point): string {
  return keyOf(Object.keys(attributes), Object.values(attributes));
}

function keyOf(labels: readonly string[], values: readonly unknown[]): string {
  return labels.join() + JSON.stringify(values);
}

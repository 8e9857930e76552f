/**
 * The way of a measurement inside this process: the catalogue of families and its Views, the instruments, the recorder,
 * and the deltas that leave.
 */
import { Signal } from '../runtime/signal';
import { createViews, type Family, families, type View, type ViewSettings } from '../views';
import { familyNames } from '../views/metric-names';
import type { Deltas } from './deltas';
import {
  Accumulators,
  createInstruments,
  createSelfMetrics,
  type InstrumentsSettings,
  type SelfMetrics,
} from './instruments';
import type { DropLabels, Recorder } from './measurement';
import { createOverflowReports } from './overflow';
import { createRecorder } from './recorder';
import { type FamilyRoom, markPaths } from './series-room';

export interface PipelineSettings extends ViewSettings, InstrumentsSettings {
  /** Series that a family may have. */
  readonly seriesLimit: number;
  readonly dropLabels: DropLabels;
}

export interface Pipeline {
  /** Every family of the scrape. */
  readonly catalogue: readonly Family[];
  /** One for each instrument of our own. */
  readonly views: readonly View[];
  readonly selfMetrics: SelfMetrics;
  readonly recorder: Recorder;
  /** Emitted at each measurement that is the first of its series since the last deltas. */
  readonly measured: Signal;
  /** Each family's label names, in the order of their values in deltas. */
  readonly familyLabels: ReadonlyMap<string, readonly string[]>;
  /** What the hub bounds its members' series by. */
  readonly rooms: ReadonlyMap<string, FamilyRoom>;
  /** @returns what was measured since the last call */
  takeDeltas(): Deltas;
}

/**
 * @param hasMonitored whether a function has been monitored, now or before; asked at each scrape
 */
export function createPipeline(settings: PipelineSettings, hasMonitored: () => boolean): Pipeline {
  const catalogue = families(settings, hasMonitored);
  const views = createViews(catalogue, settings.seriesLimit);
  const measured = new Signal();
  const accumulators = new Accumulators(views, measured.emit);
  const selfMetrics = createSelfMetrics(accumulators);
  const overflow = createOverflowReports(selfMetrics);
  const instruments = createInstruments(accumulators, settings, overflow);
  const recorder = createRecorder(instruments, selfMetrics, familyNames(settings.syscode), settings.dropLabels);
  return {
    catalogue,
    views,
    selfMetrics,
    recorder,
    measured,
    familyLabels: accumulators.familyLabels(),
    rooms: accumulators.rooms,
    takeDeltas: () => markPaths(accumulators.takeDeltas(), accumulators.rooms),
  };
}

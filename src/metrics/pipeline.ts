/**
 * The way of a measurement inside this process: the catalogue of families and its Views, a MeterProvider of our own with
 * a reader of deltas, the instruments of our meter, the recorder, and the collector that puts labels back.
 *
 * The provider is not the global one: that belongs to the application.
 */
import { Signal } from '../runtime/signal';
import { createViews, type Family, families, type View, type ViewSettings } from '../views';
import { familyNames, METER_NAME } from '../views/metric-names';
import { ApplicationJournal } from './application-journal';
import { createApplicationMeters } from './application-meters';
import { Collector, DeltaReader } from './collector';
import {
  createInstruments,
  createSelfMetrics,
  InstrumentFactory,
  type InstrumentsSettings,
  type SelfMetrics,
} from './instruments';
import type { Recorder } from './measurement';
import { createOverflowReports, type OverflowReports } from './overflow';
import { createRecorder } from './recorder';
import { MeterProvider } from './sdk';

type ApplicationMeters = ReturnType<typeof createApplicationMeters>;

export interface PipelineSettings extends ViewSettings, InstrumentsSettings {
  /** Series that a family may have. */
  readonly seriesLimit: number;
}

export interface Pipeline {
  /** Every family of the scrape. */
  readonly catalogue: readonly Family[];
  /** Of our meter and of the application's own. */
  readonly provider: MeterProvider;
  /** What the application records in. */
  readonly applicationMeters: ApplicationMeters;
  readonly selfMetrics: SelfMetrics;
  readonly overflow: OverflowReports;
  readonly recorder: Recorder;
  readonly collector: Collector;
  /** Emitted at each measurement. */
  readonly measured: Signal;
  /** Each family's label names, in the order of their values in deltas. */
  readonly familyLabels: ReadonlyMap<string, readonly string[]>;
}

/** Our meter in a provider of our own, and the reader of both. */
interface Meters {
  readonly provider: MeterProvider;
  readonly applicationMeters: ApplicationMeters;
  readonly collector: Collector;
  /** Of our meter. */
  readonly factory: InstrumentFactory;
  readonly selfMetrics: SelfMetrics;
}

/**
 * @param hasMonitored whether a function has been monitored, now or before; asked at each scrape
 */
export function createPipeline(settings: PipelineSettings, hasMonitored: () => boolean): Pipeline {
  const { syscode, seriesLimit } = settings;
  const catalogue = families(settings, hasMonitored);
  const measured = new Signal();
  const meters = createMeters(createViews(catalogue, seriesLimit), seriesLimit, measured.emit);
  const { provider, applicationMeters, collector, factory, selfMetrics } = meters;
  const overflow = createOverflowReports(selfMetrics);
  const instruments = createInstruments(factory, settings, overflow);
  const recorder = createRecorder(instruments, selfMetrics, familyNames(syscode));
  const familyLabels = collector.familyLabels();
  return { catalogue, provider, applicationMeters, selfMetrics, overflow, recorder, collector, measured, familyLabels };
}

/**
 * @param views one for each instrument of ours
 * @param seriesLimit of the application's instruments
 * @param onRecord called at each measurement
 */
export function createMeters(views: readonly View[], seriesLimit: number, onRecord: () => void): Meters {
  const reader = new DeltaReader(seriesLimit);
  const provider = new MeterProvider({ readers: [reader], views: [...views] });
  const applicationJournal = new ApplicationJournal(seriesLimit);
  const applicationMeters = createApplicationMeters(provider, applicationJournal, onRecord);
  const collector = new Collector(reader, {
    onRecord,
    applicationJournal,
    lostSeries: (family) => selfMetrics.lostMeasurements.seriesOf([family]),
  });
  const factory = new InstrumentFactory(provider.getMeter(METER_NAME), views, collector);
  const selfMetrics = createSelfMetrics(factory);
  return { provider, applicationMeters, collector, factory, selfMetrics };
}

/**
 * The way of a measurement inside this process: the catalogue of families and its Views, a MeterProvider of our own with
 * a reader of deltas, the instruments of our meter, the recorder, and the collector that puts labels back.
 *
 * The provider is not the global one: that belongs to the application.
 */
import type { Resource } from '@opentelemetry/resources';
import type { ViewOptions } from '@opentelemetry/sdk-metrics';
import { Signal } from '../runtime/signal';
import { createViews, exponentialViews, type Family, families, type View, type ViewSettings } from '../views';
import { type InstrumentName, METER_NAME } from '../views/metric-names';
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
import type { DropLabels, Recorder } from './measurement';
import { createOverflowReports } from './overflow';
import { createRecorder } from './recorder';
import { defaultResource, MeterProvider, resourceFromAttributes } from './sdk';
import type { FamilyRoom } from './series-room';

type ApplicationMeters = ReturnType<typeof createApplicationMeters>;

export interface PipelineSettings extends ViewSettings, InstrumentsSettings {
  /** Series that a family may have. */
  readonly seriesLimit: number;
  readonly dropLabels: DropLabels;
  /** Of the service, with its name. */
  readonly resourceAttributes: Readonly<Record<string, string>>;
  /** Whether histograms have exponential buckets beside the explicit ones. */
  readonly isExponential?: boolean;
}

export interface Pipeline {
  /** Every family of the scrape. */
  readonly catalogue: readonly Family[];
  /** The service, as everything that is handed on names it. */
  readonly resource: Resource;
  /** Of our meter and of the application's own. */
  readonly provider: MeterProvider;
  /** What the application records in. */
  readonly applicationMeters: ApplicationMeters;
  readonly selfMetrics: SelfMetrics;
  readonly recorder: Recorder;
  readonly collector: Collector;
  /** Emitted at each measurement. */
  readonly measured: Signal;
  /** Each family's label names, in the order of their values in deltas. */
  readonly familyLabels: ReadonlyMap<string, readonly string[]>;
  /** What the hub bounds its members' series by. */
  readonly rooms: ReadonlyMap<string, FamilyRoom>;
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
  const { syscode, seriesLimit, isExponential } = settings;
  const all = families(settings, hasMonitored);
  const catalogue = all.filter(({ isDropped }) => !isDropped);
  const measured = new Signal();
  const resource = defaultResource().merge(resourceFromAttributes(settings.resourceAttributes));
  const meters = createMeters({ syscode, seriesLimit }, createViews(all, seriesLimit, isExponential), measured.emit, {
    resource,
    views: settings.views?.others ?? [],
  });
  const { provider, applicationMeters, collector, factory, selfMetrics } = meters;
  const overflow = createOverflowReports(selfMetrics);
  const instruments = createInstruments(factory, settings, overflow);
  const recorder = createRecorder(instruments, selfMetrics, namesOf(catalogue), settings.dropLabels);
  const familyLabels = collector.familyLabels();
  const { rooms } = factory;
  return {
    catalogue,
    resource,
    provider,
    applicationMeters,
    selfMetrics,
    recorder,
    collector,
    measured,
    familyLabels,
    rooms,
  };
}

/** The family of each instrument that has one. */
function namesOf(catalogue: readonly Family[]): Partial<Record<InstrumentName, string>> {
  return Object.fromEntries(
    catalogue.flatMap(({ instrument, name }) => (instrument === undefined ? [] : [[instrument, name]])),
  );
}

/**
 * @param views one for each instrument of ours; the application's have the limit of series alone
 * @param onRecord called at each measurement
 * @param others what the provider has beside: the service, and Views of the application's instruments
 */
export function createMeters(
  { syscode, seriesLimit }: Pick<PipelineSettings, 'syscode' | 'seriesLimit'>,
  views: readonly View[],
  onRecord: () => void,
  others: { readonly resource?: Resource; readonly views?: readonly ViewOptions[] } = {},
): Meters {
  const reader = new DeltaReader(seriesLimit);
  const { resource = defaultResource(), views: otherViews = [] } = others;
  const provider = new MeterProvider({
    resource,
    readers: [reader],
    views: [...views, ...exponentialViews(views), ...otherViews],
  });
  const applicationJournal = new ApplicationJournal(seriesLimit);
  const applicationMeters = createApplicationMeters(provider, applicationJournal, onRecord);
  const collector = new Collector(reader, {
    onRecord,
    applicationJournal,
    lostSeries: (family) => selfMetrics.lostMeasurements.seriesOf([family]),
  });
  const factory = new InstrumentFactory(provider.getMeter(METER_NAME), views, collector);
  const selfMetrics = createSelfMetrics(factory, syscode);
  return { provider, applicationMeters, collector, factory, selfMetrics };
}

/**
 * The catalogue of metric families: every instrument's family name, help text and boundaries stand here and nowhere
 * else.
 *
 * One View per instrument, selected by its exact name: a View with a name that selects several would give them all
 * the same one.
 */
import type { AggregationType as SdkAggregationType, ViewOptions } from '@opentelemetry/sdk-metrics';
import { type ApplicationViews, changed } from './application-views';
import { BOUNDARIES_SECONDS } from './boundaries';
import { familyNames, INSTRUMENTS, type InstrumentName, identityOf, METER_NAME } from './metric-names';
import { AggregationType } from './sdk-constants';

export interface ViewSettings {
  readonly syscode: string;
  /** Milliseconds, ascending. */
  readonly innerMetricsBuckets: readonly number[];
  readonly partnerHttpMetricsBuckets: readonly number[];
  readonly consumerMetricsBuckets: readonly number[];
  /** Whether inbound requests are also counted under the names of Flask exporters. */
  readonly flaskMetrics: boolean;
  /** Whether the attributes of the service are on the scrape. */
  readonly targetInfo?: boolean;
  /** The application's, laid over the catalogue. */
  readonly views?: ApplicationViews | undefined;
}

/** One metric family as it stands on the scrape. */
export interface Family {
  /** Absent for what is not measured but known when the scrape is written: the state of the hub, what codes mean. */
  readonly instrument?: InstrumentName;
  readonly name: string;
  readonly help: string;
  readonly kind: 'histogram' | 'counter' | 'gauge';
  /** Of a histogram, in the unit that its help names. */
  readonly boundaries?: readonly number[];
  /** Labels that are the same on every series; of what the exporter says about itself. */
  readonly fixed?: Readonly<Record<string, string>>;
  /** Whether it is shown without observations; where this is absent, it is. */
  readonly isShown?: () => boolean;
  /** Series that it may have, where that is not the limit of all. */
  readonly seriesLimit?: number;
  /** Whether a View of the application's drops it: it is not measured. */
  readonly isDropped?: boolean;
  /** Whether it is on a scrape only of who asks for details: it is for people, and no monitoring is to pay for it. */
  readonly isDetail?: boolean;
}

/** Families about the processes of the service; they have no instrument. */
export const STATE_FAMILIES = {
  processes: 'channel_exporter_processes',
  collectionSeconds: 'channel_exporter_collection_seconds',
  droppedDeltas: 'channel_exporter_dropped_deltas_total',
  lateDeltas: 'channel_exporter_late_deltas_total',
  readPauses: 'channel_exporter_read_pauses_total',
  refused: 'channel_exporter_refused',
} as const;

/** Of what the exporter says about itself. */
const OWN_PREFIX = 'channel_exporter_';

/** Families about this process, the partner directory and the codes in labels; they have no instrument. */
export const INFO_FAMILIES = {
  exporter: 'channel_exporter_info',
  boundaries: 'channel_exporter_boundaries_info',
  unmatched: 'channel_exporter_partner_unmatched',
  partner: 'channel_partner_info',
  businessCode: 'channel_business_code_info',
  setting: 'channel_exporter_setting_info',
  since: 'channel_exporter_since_seconds',
} as const;

/** The attributes of the service, with the name and text that PrometheusSerializer gives them. */
export const TARGET_INFO: Family = { name: 'target_info', help: 'Target metadata', kind: 'gauge' };

/**
 * @param hasMonitored whether a function has been monitored, now or before; asked at each scrape
 * @returns every family of the scrape, in the order in which it is written, and those that are dropped
 */
export function families(settings: ViewSettings, hasMonitored: () => boolean): readonly Family[] {
  const changes = settings.views?.ours ?? [];
  return catalogueOf(settings, hasMonitored).map((family) => changed(family, changes));
}

function catalogueOf(settings: ViewSettings, hasMonitored: () => boolean): readonly Family[] {
  const names = familyNames(settings.syscode);
  const counter = (instrument: InstrumentName, help: string): Family => ({
    instrument,
    name: names[instrument],
    help,
    kind: 'counter',
  });
  const histogram = (instrument: InstrumentName, help: string, boundaries: readonly number[]): Family => ({
    ...counter(instrument, help),
    kind: 'histogram',
    boundaries,
  });
  const monitored: Family[] = [
    counter(INSTRUMENTS.calls, 'Calls of monitored functions.'),
    {
      ...counter(INSTRUMENTS.lastCall, 'Duration of the last call of a monitored function, in seconds.'),
      kind: 'gauge',
    },
    histogram(INSTRUMENTS.callDuration, 'Duration of calls of monitored functions, in seconds.', BOUNDARIES_SECONDS),
    counter(INSTRUMENTS.callFailures, 'Calls of monitored functions that threw or were rejected.'),
  ];
  const flask: Family[] = [
    histogram(
      INSTRUMENTS.flaskLatency,
      'Duration of inbound HTTP requests under the name of Flask exporters, in seconds.',
      BOUNDARIES_SECONDS,
    ),
    counter(INSTRUMENTS.flaskCount, 'Inbound HTTP requests under the name of Flask exporters.'),
  ];
  const all: Family[] = [
    ...(settings.targetInfo === true ? [TARGET_INFO] : []),
    histogram(
      INSTRUMENTS.inner,
      'Duration of inbound HTTP requests, from the request line to the response, in milliseconds.',
      settings.innerMetricsBuckets,
    ),
    histogram(
      INSTRUMENTS.partner,
      'Duration of HTTP exchanges with partners, from the call to the last byte of the response, in milliseconds.',
      settings.partnerHttpMetricsBuckets,
    ),
    histogram(
      INSTRUMENTS.consumer,
      'Duration of consumed messages, from delivery to answer, in milliseconds.',
      settings.consumerMetricsBuckets,
    ),
    counter(
      INSTRUMENTS.partnerErrors,
      'HTTP exchanges with partners that ended without a status or in the middle of the body, by cause.',
    ),
    // on a scrape only of a service that monitors functions
    ...monitored.map((family) => ({ ...family, isShown: hasMonitored })),
    ...(settings.flaskMetrics ? flask : []),
    counter(INSTRUMENTS.unrecordedRequests, 'Inbound HTTP requests that are not recorded, by reason.'),
    counter(INSTRUMENTS.lostMeasurements, 'Measurements that could not be recorded, by family.'),
    counter(INSTRUMENTS.errors, 'Errors caught inside the exporter, by the part in which they happened.'),
    counter(INSTRUMENTS.labelOverflow, 'Label values replaced by "other" because their label had reached its limit.'),
    counter(
      INSTRUMENTS.seriesOverflow,
      'Measurements added up under "other" because their family had reached its limit of series.',
    ),
    counter(INSTRUMENTS.unreadBodies, 'Bodies not read for codes because of a limit of the process, by reason.'),
    counter(
      INSTRUMENTS.partnerMisses,
      'Calls to hosts of the partner directory on a path, or a port, that no entry of theirs has.',
    ),
    {
      name: STATE_FAMILIES.processes,
      help: 'Processes of this service since this scrape began: the hub, its members, their threads, those gone, and lost ones.',
      kind: 'gauge',
    },
    {
      name: STATE_FAMILIES.collectionSeconds,
      help: 'Seconds that bringing in the measurements of all members took, in this scrape.',
      kind: 'gauge',
    },
    {
      name: STATE_FAMILIES.droppedDeltas,
      help: 'Messages or series of other processes that could not be added, by reason.',
      kind: 'counter',
    },
    {
      name: STATE_FAMILIES.lateDeltas,
      help: 'Times that a scrape was answered without the newest measurements of a process, which follow later.',
      kind: 'counter',
    },
    {
      name: STATE_FAMILIES.readPauses,
      help: 'Times that another process was read no further for a while, because it sent more than it may.',
      kind: 'counter',
    },
    {
      name: STATE_FAMILIES.refused,
      help: 'Processes of another system code that were turned away lately, by their system code.',
      kind: 'gauge',
    },
    {
      name: INFO_FAMILIES.exporter,
      help: 'The exporter that serves this scrape, its version and the runtime: 1.',
      kind: 'gauge',
    },
    {
      name: INFO_FAMILIES.boundaries,
      help: 'The bucket boundaries of each histogram: 1. Histograms of other boundaries must not be added up.',
      kind: 'gauge',
    },
    {
      name: INFO_FAMILIES.unmatched,
      help: 'Hosts and paths of the partner file that no call of the service has met, since the start or its last change.',
      kind: 'gauge',
    },
    {
      name: INFO_FAMILIES.partner,
      help: 'Partners of the partner directory, with their names; always 1.',
      kind: 'gauge',
    },
    {
      name: INFO_FAMILIES.businessCode,
      help: 'Business codes whose meaning is known, by family, partner and whether they mean success; always 1.',
      kind: 'gauge',
    },
    ...details(counter),
  ];
  const fixed = identityOf(settings.syscode);
  return all.map((family) => (family.name.startsWith(OWN_PREFIX) ? { ...family, fixed } : family));
}

function details(counter: (instrument: InstrumentName, help: string) => Family): Family[] {
  const all: Family[] = [
    counter(INSTRUMENTS.observed, 'Processes in which a source of measurements has found what it observes.'),
    counter(INSTRUMENTS.unknownHosts, 'Processes that have called a host that the partner directory does not have.'),
    {
      name: INFO_FAMILIES.setting,
      help: 'Settings in force in the process that serves this scrape, and whether each has been set: 1.',
      kind: 'gauge',
    },
    {
      name: INFO_FAMILIES.since,
      help: 'When the process that serves this scrape began to count, in seconds of the Unix epoch.',
      kind: 'gauge',
    },
  ];
  return all.map((family) => ({ ...family, isDetail: true }));
}

/**
 * Series that a family may have beyond its limit, for what is folded: the values of a few labels are our own, or the
 * application's, and stay. All that comes after them is one series.
 */
export const FOLDED_SERIES = 1_000;
/** The series that all the rest is folded into, and the SDK's own for what is over its limit, which stays empty. */
const LAST_SERIES = 2;

/** A View of the SDK, of one instrument of ours. */
export interface View extends ViewOptions {
  readonly instrumentName: InstrumentName;
  /** Of the family. */
  readonly name: string;
  /** Series that the family may have in one process, in its life. */
  readonly seriesLimit: number;
  /** Series that the SDK keeps between two collections. Ours are limited for the life of the process, and fit. */
  readonly aggregationCardinalityLimit: number;
  /** Whether a histogram has a second stream, of {@link exponentialViews}. */
  readonly isExponential?: boolean;
  readonly aggregation?: HistogramAggregation | { readonly type: SdkAggregationType.DROP };
}

/** A histogram's second metric stream. */
interface ExponentialView extends ViewOptions {
  readonly name: string;
}

interface HistogramAggregation {
  readonly type: SdkAggregationType.EXPLICIT_BUCKET_HISTOGRAM;
  readonly options: { readonly boundaries: number[]; readonly recordMinMax: false };
}

/**
 * The Views that give every instrument its family.
 * @param seriesLimit series that a family may have which has no limit of its own
 * @param isExponential whether histograms have exponential buckets beside the explicit ones
 */
export function createViews(catalogue: readonly Family[], seriesLimit: number, isExponential = false): View[] {
  const views = catalogue.flatMap((family) =>
    family.instrument === undefined ? [] : [viewOf(family.instrument, family, family.seriesLimit ?? seriesLimit)],
  );
  if (!isExponential) return views;
  return views.map((view) => ({
    ...view,
    isExponential: view.aggregation?.type === AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
  }));
}

/** Of no family: the name of a stream between the SDK and its reader. */
export function exponentialName(family: string): string {
  return `${family}.exponential`;
}

/** @returns the Views of second streams: one record() of the instrument is in both, under the same series */
export function exponentialViews(views: readonly View[]): ExponentialView[] {
  return views
    .filter(({ isExponential }) => isExponential)
    .map(({ meterName, instrumentName, name, aggregationCardinalityLimit }) => ({
      meterName: meterName as string,
      instrumentName,
      name: exponentialName(name),
      aggregationCardinalityLimit,
      aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { recordMinMax: true } },
    }));
}

function viewOf(instrumentName: InstrumentName, family: Family, seriesLimit: number): View {
  const { name, help } = family;
  const aggregation = aggregationOf(family);
  return {
    // the application may have an instrument of the same name in a meter of its own
    meterName: METER_NAME,
    instrumentName,
    name,
    description: help,
    seriesLimit,
    aggregationCardinalityLimit: seriesLimit + FOLDED_SERIES + LAST_SERIES,
    ...(aggregation === undefined ? {} : { aggregation }),
  };
}

function aggregationOf({ boundaries, isDropped }: Family): View['aggregation'] {
  if (isDropped) return { type: AggregationType.DROP };
  if (boundaries === undefined) return undefined;
  return {
    type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
    options: { boundaries: [...boundaries], recordMinMax: false },
  };
}

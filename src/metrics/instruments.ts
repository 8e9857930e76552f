/**
 * The instruments of our meter, under their neutral names, and the labels of each; the Views give them the names,
 * boundaries and limits that dashboards know.
 */
import type { Meter } from '@opentelemetry/api';
import type { View } from '../views';
import { INSTRUMENTS, type InstrumentName } from '../views/metric-names';
import { AggregationType } from '../views/sdk-constants';
import {
  DROPPED,
  type FamilyCounter,
  type FamilyValues,
  type OnRecord,
  SeriesCounter,
  SeriesValues,
} from './family-instruments';
import { cleanLabelValue, LabelLimits, type LabelName, overflowOf } from './label-limits';
import type { OverflowReports } from './overflow';
import { SeriesTable } from './series';

export interface InstrumentsSettings {
  readonly syscode: string;
  readonly labelValuesLimit: Readonly<Record<LabelName, number>>;
  /** The label of the same name, of monitored functions. */
  readonly env: string;
  /** Whether inbound requests are also recorded under the names of Flask exporters. */
  readonly flaskMetrics: boolean;
}

export type SelfMetrics = ReturnType<typeof createSelfMetrics>;
export type Instruments = ReturnType<typeof createInstruments>;

interface Shape {
  readonly instrument: InstrumentName;
  /** Labels that are the same on every series. */
  readonly fixed?: Readonly<Record<string, string>>;
  readonly labels: readonly string[];
  /** Shared by the instruments that one kind of measurement is recorded in; absent where all values are our own. */
  readonly values?: LabelLimits;
  /** Absent where all values are our own, and for label values where another instrument reports them. */
  readonly reports?: Partial<OverflowReports>;
}

/** Told which tables there are, and what is recorded. */
export interface RecordListener {
  readonly recorded: OnRecord;
  register(table: SeriesTable): void;
}

/** Characters of the system code that name the application's owner. */
const APPID_CHARACTERS = 4;

/** Creates the instruments, each with a table of its series, for which there has to be a View. */
export class InstrumentFactory {
  private readonly views: ReadonlyMap<string, View>;

  constructor(
    private readonly meter: Meter,
    views: readonly View[],
    private readonly listener: RecordListener,
  ) {
    this.views = new Map(views.map((view) => [view.instrumentName, view]));
  }

  /** @throws Error when no View has the instrument, as the following do */
  counter(shape: Shape): FamilyCounter {
    const table = this.tableOf(shape, 'counter');
    if (table === undefined) return DROPPED;
    return new SeriesCounter(this.meter.createCounter(shape.instrument), table, this.listener.recorded);
  }

  gauge(shape: Shape): FamilyValues {
    const table = this.tableOf(shape, 'gauge');
    if (table === undefined) return DROPPED;
    return new SeriesValues(this.meter.createGauge(shape.instrument), table, this.listener.recorded);
  }

  histogram(shape: Shape): FamilyValues {
    const table = this.tableOf(shape, 'histogram');
    if (table === undefined) return DROPPED;
    return new SeriesValues(this.meter.createHistogram(shape.instrument), table, this.listener.recorded);
  }

  /** @returns undefined where the View drops the family */
  private tableOf(shape: Shape, kind: SeriesTable['kind']): SeriesTable | undefined {
    const { instrument, fixed = {}, labels, values, reports } = shape;
    const view = this.views.get(instrument);
    if (view === undefined) throw new Error(`no View has the instrument ${instrument}`);
    const { name: family, seriesLimit, aggregation } = view;
    if (aggregation?.type === AggregationType.DROP) return undefined;
    const { labelFull } = reports ?? {};
    const folded = overflowOf(labels);
    const table = new SeriesTable({
      family,
      kind,
      boundaries: aggregation?.options.boundaries,
      fixed,
      labels,
      admit:
        values?.admitterOf(labels, labelFull && ((label, limit) => labelFull(family, label, limit))) ??
        ((own) => own.map(cleanLabelValue)),
      seriesLimit,
      fold(each) {
        reports?.familyFull?.(family, seriesLimit);
        return folded(each);
      },
    });
    this.listener.register(table);
    return table;
  }
}

/**
 * What the exporter measures of itself. All label values are our own and few, so that nothing is reported of them:
 * the counters of overflows would have to count themselves.
 */
export function createSelfMetrics(factory: InstrumentFactory) {
  const counter = (instrument: InstrumentName, labels: readonly string[]) => factory.counter({ instrument, labels });
  return {
    unrecordedRequests: counter(INSTRUMENTS.unrecordedRequests, ['reason']),
    lostMeasurements: counter(INSTRUMENTS.lostMeasurements, ['family']),
    errors: counter(INSTRUMENTS.errors, ['source']),
    labelOverflow: counter(INSTRUMENTS.labelOverflow, ['family', 'label']),
    seriesOverflow: counter(INSTRUMENTS.seriesOverflow, ['family']),
    unreadBodies: counter(INSTRUMENTS.unreadBodies, ['reason']),
  };
}

/** @param reports are told what is replaced */
export function createInstruments(factory: InstrumentFactory, settings: InstrumentsSettings, reports: OverflowReports) {
  const { syscode, labelValuesLimit, env, flaskMetrics } = settings;
  const identity = { appid: syscode.slice(0, APPID_CHARACTERS), application: syscode };
  const limits = () => ({ values: new LabelLimits(labelValuesLimit), reports });
  /** Of an instrument whose label values were recorded, and reported, in another one before. */
  const further = { reports: { familyFull: reports.familyFull } };

  const inner = limits();
  const partner = { ...limits(), fixed: identity };
  // consumers have no caller: its label is there for dashboards that are shared
  const consumer = { ...limits(), fixed: { ...identity, f_code: '' } };
  const call = { ...limits(), fixed: { env }, labels: ['url'] };

  return {
    /** Milliseconds, as the two that follow. */
    inner: factory.histogram({
      ...inner,
      instrument: INSTRUMENTS.inner,
      fixed: identity,
      labels: ['f_code', 'path', 'http_status', 'code', 'method_code'],
    }),
    partner: factory.histogram({
      ...partner,
      instrument: INSTRUMENTS.partner,
      labels: ['partner', 'action_code', 'http_status', 'code'],
    }),
    consumer: factory.histogram({ ...consumer, instrument: INSTRUMENTS.consumer, labels: ['topic', 'code'] }),
    partnerErrors: factory.counter({
      ...partner,
      ...further,
      instrument: INSTRUMENTS.partnerErrors,
      labels: ['partner', 'action_code', 'error'],
    }),
    calls: factory.counter({ ...call, instrument: INSTRUMENTS.calls }),
    /** Seconds, as the one that follows. */
    lastCall: factory.gauge({ ...call, ...further, instrument: INSTRUMENTS.lastCall }),
    callDuration: factory.histogram({ ...call, ...further, instrument: INSTRUMENTS.callDuration }),
    callFailures: factory.counter({ ...call, ...further, instrument: INSTRUMENTS.callFailures }),
    /** Undefined unless the settings want them: their families are not in the catalogue then. */
    flask: flaskMetrics
      ? {
          /** Seconds. */
          latency: factory.histogram({
            ...inner,
            ...further,
            instrument: INSTRUMENTS.flaskLatency,
            labels: ['endpoint', 'method'],
          }),
          count: factory.counter({
            ...inner,
            ...further,
            instrument: INSTRUMENTS.flaskCount,
            labels: ['endpoint', 'method', 'http_status'],
          }),
        }
      : undefined,
  };
}

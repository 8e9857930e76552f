/**
 * The instruments of our meter, under their neutral names, and the labels of each; the Views give them the names,
 * boundaries and limits that dashboards know.
 */
import type { Meter } from '@opentelemetry/api';
import type { View } from '../views';
import { INSTRUMENTS, type InstrumentName, identityOf } from '../views/metric-names';
import { AggregationType } from '../views/sdk-constants';
import { DROPPED, type FamilyCounter, type FamilyValues, type OnRecord, SeriesRecorder } from './family-instruments';
import { cleanLabelValue, isSameButMarked, LabelLimits, type LabelName, type OnLabelFull } from './label-limits';
import { KIND_LABELS } from './measurement';
import type { OverflowReports } from './overflow';
import { ROOT_CONTEXT } from './sdk';
import { SeriesTable, type SeriesTableOptions } from './series';
import { type FamilyRoom, memberRoom, seriesRoom } from './series-room';

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
  /** Whether to record in it makes the process no one that measures: it says what is there and not what happened. */
  readonly isQuiet?: boolean;
  readonly reports?: { readonly [K in keyof OverflowReports]?: OverflowReports[K] | undefined };
}

/** Told which tables there are, and what is recorded. */
export interface RecordListener {
  readonly recorded: OnRecord;
  /** Instead, of what makes the process no one that measures. */
  readonly noted: OnRecord;
  register(table: SeriesTable): void;
}

/** Creates the instruments, each with a table of its series, for which there has to be a View. */
export class InstrumentFactory {
  private readonly views: ReadonlyMap<string, View>;
  /** Of each family. */
  readonly rooms = new Map<string, FamilyRoom>();

  constructor(
    private readonly meter: Meter,
    views: readonly View[],
    private readonly listener: RecordListener,
  ) {
    this.views = new Map(views.map((view) => [view.instrumentName, view]));
  }

  /** @throws Error when no View has the instrument, as the following do */
  familyOf(instrument: InstrumentName): string {
    return this.viewOf(instrument).name;
  }

  counter(shape: Shape): FamilyCounter {
    const counter = this.meter.createCounter(shape.instrument);
    return this.recorder(shape, 'counter', (amount, attributes) => counter.add(amount, attributes, ROOT_CONTEXT));
  }

  gauge(shape: Shape): FamilyValues {
    const gauge = this.meter.createGauge(shape.instrument);
    return this.recorder(shape, 'gauge', (value, attributes) => gauge.record(value, attributes, ROOT_CONTEXT));
  }

  histogram(shape: Shape): FamilyValues {
    const histogram = this.meter.createHistogram(shape.instrument);
    return this.recorder(shape, 'histogram', (value, attributes) => histogram.record(value, attributes, ROOT_CONTEXT));
  }

  private recorder(shape: Shape, kind: SeriesTable['kind'], write: SeriesTable['write']): FamilyCounter & FamilyValues {
    const table = this.tableOf(shape, kind, write);
    const { recorded, noted } = this.listener;
    return table === undefined ? DROPPED : new SeriesRecorder(table, shape.isQuiet ? noted : recorded);
  }

  private viewOf(instrument: InstrumentName): View {
    const view = this.views.get(instrument);
    if (view === undefined) throw new Error(`no View has the instrument ${instrument}`);
    return view;
  }

  /** @returns undefined where the View drops the family */
  private tableOf(shape: Shape, kind: SeriesTable['kind'], write: SeriesTable['write']): SeriesTable | undefined {
    const { instrument, fixed = {}, labels, values, reports } = shape;
    const { name: family, seriesLimit, aggregation, isExponential } = this.viewOf(instrument);
    if (aggregation?.type === AggregationType.DROP) return undefined;
    const { labelFull, familyFull } = reports ?? {};
    const onFull: OnLabelFull | undefined = labelFull && ((...full) => labelFull(family, ...full));
    const isRoute = (path: string) => values?.isRoute(path) ?? true;
    const room = seriesRoom({ labels, seriesLimit, isRoute });
    const admit = values?.admitterOf(labels, onFull) ?? ((own: readonly string[]) => own.map(cleanLabelValue));
    const fold: SeriesTableOptions['fold'] = (each, size) => {
      const fitted = room(each, size);
      if (fitted !== undefined) familyFull?.(family, seriesLimit, fitted.isFull);
      return fitted?.values;
    };
    reports?.begin?.(family, onFull === undefined ? [] : labels);
    const fixedCount = Object.keys(fixed).length;
    const members = memberRoom({ fixedCount, labels, limits: values, onFull, admit, fold });
    this.rooms.set(family, members);
    const table = new SeriesTable({
      family,
      kind,
      boundaries: aggregation?.options.boundaries,
      isExponential,
      fixed,
      labels,
      admit,
      seriesLimit,
      fold,
      isKept: isSameButMarked,
      isPath: (each) => members.isPath(each),
      write,
    });
    this.listener.register(table);
    return table;
  }
}

/**
 * What the exporter measures of itself. All label values are our own and few, so that nothing is reported of them:
 * the counters of overflows would have to count themselves.
 */
export function createSelfMetrics(factory: InstrumentFactory, syscode: string) {
  const fixed = identityOf(syscode);
  const counter = (instrument: InstrumentName, labels: readonly string[]) =>
    factory.counter({ instrument, fixed, labels });
  const quiet = (instrument: InstrumentName, labels: readonly string[]) =>
    factory.counter({ instrument, fixed, labels, isQuiet: true });
  return {
    unrecordedRequests: counter(INSTRUMENTS.unrecordedRequests, ['reason']),
    lostMeasurements: counter(INSTRUMENTS.lostMeasurements, ['family']),
    errors: counter(INSTRUMENTS.errors, ['source']),
    labelOverflow: counter(INSTRUMENTS.labelOverflow, ['family', 'label']),
    seriesOverflow: counter(INSTRUMENTS.seriesOverflow, ['family']),
    unreadBodies: counter(INSTRUMENTS.unreadBodies, ['reason']),
    partnerMisses: counter(INSTRUMENTS.partnerMisses, ['partner', 'reason']),
    observed: quiet(INSTRUMENTS.observed, ['source']),
    unknownHosts: quiet(INSTRUMENTS.unknownHosts, ['host']),
  };
}

/** @param reports are told what is replaced */
export function createInstruments(factory: InstrumentFactory, settings: InstrumentsSettings, reports: OverflowReports) {
  const { syscode, labelValuesLimit, env, flaskMetrics } = settings;
  const identity = identityOf(syscode);
  const limits = () => ({ values: new LabelLimits(labelValuesLimit), reports });
  /** Of an instrument whose label values were recorded, and reported, in another one before. */
  const further = { reports: { ...reports, labelFull: undefined } };

  const inner = limits();
  const onPathFull: OnLabelFull = (...full) => reports.labelFull(factory.familyOf(INSTRUMENTS.inner), ...full);
  const partner = { ...limits(), fixed: identity };
  // consumers have no caller: its label is there for dashboards that are shared
  const consumer = { ...limits(), fixed: { ...identity, f_code: '' } };
  // of a family that few services have, nothing is shown before it is used
  const seldom = { ...reports, begin: undefined };
  const call = {
    values: new LabelLimits(labelValuesLimit),
    reports: seldom,
    fixed: { env },
    labels: KIND_LABELS.function,
  };
  const furtherCall = { ...call, reports: { ...seldom, labelFull: undefined } };

  return {
    /** What to record for a path that no framework reported. */
    pathValue: (path: string) => inner.values.pathValue(path, onPathFull),
    /** Milliseconds, as the two that follow. */
    inner: factory.histogram({
      ...inner,
      instrument: INSTRUMENTS.inner,
      fixed: identity,
      labels: KIND_LABELS.inner,
    }),
    partner: factory.histogram({
      ...partner,
      instrument: INSTRUMENTS.partner,
      labels: KIND_LABELS.partner,
    }),
    consumer: factory.histogram({ ...consumer, instrument: INSTRUMENTS.consumer, labels: KIND_LABELS.consumer }),
    partnerErrors: factory.counter({
      ...partner,
      ...further,
      instrument: INSTRUMENTS.partnerErrors,
      labels: ['partner', 'action_code', 'error'],
    }),
    calls: factory.counter({ ...call, instrument: INSTRUMENTS.calls }),
    /** Seconds, as the one that follows. */
    lastCall: factory.gauge({ ...furtherCall, instrument: INSTRUMENTS.lastCall }),
    callDuration: factory.histogram({ ...furtherCall, instrument: INSTRUMENTS.callDuration }),
    callFailures: factory.counter({ ...furtherCall, instrument: INSTRUMENTS.callFailures }),
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

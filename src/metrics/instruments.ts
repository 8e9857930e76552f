/**
 * The instruments, under their neutral names, and the labels of each; the Views give them the names, boundaries and
 * limits that dashboards know.
 */
import type { View } from '../views';
import { familyNames, INSTRUMENTS, type InstrumentName } from '../views/metric-names';
import { type AccumulatorOptions, CounterAccumulator, GaugeAccumulator, HistogramAccumulator } from './accumulator';
import type { Deltas, FamilyDelta } from './deltas';
import { cleanLabelValue, isSameButMarked, LabelLimits, type LabelName, type OnLabelFull } from './label-limits';
import { KIND_LABELS } from './measurement';
import type { OverflowReports } from './overflow';
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
  readonly reports?: Partial<OverflowReports>;
}

/** Characters of the system code that name the application's owner. */
const APPID_CHARACTERS = 4;

interface Created {
  readonly family: string;
  readonly labels: readonly string[];
  take(): FamilyDelta | undefined;
}

/** Creates the accumulator of each instrument from its View, and takes the deltas of all of them. */
export class Accumulators {
  private readonly views: ReadonlyMap<string, View>;
  private readonly created: Created[] = [];
  /** Of each family. */
  readonly rooms = new Map<string, FamilyRoom>();

  /** @param onChange called when a series has something to hand over that had nothing before */
  constructor(
    views: readonly View[],
    private readonly onChange: () => void,
  ) {
    this.views = new Map(views.map((view) => [view.instrumentName, view]));
  }

  /** @throws Error when no View has the instrument, as the following do */
  counter(shape: Shape): CounterAccumulator {
    return this.keep(new CounterAccumulator(this.optionsOf(shape)));
  }

  gauge(shape: Shape): GaugeAccumulator {
    return this.keep(new GaugeAccumulator(this.optionsOf(shape)));
  }

  histogram(shape: Shape): HistogramAccumulator {
    const { aggregation } = this.viewOf(shape.instrument);
    if (aggregation === undefined) throw new Error(`the View of ${shape.instrument} has no boundaries`);
    return this.keep(new HistogramAccumulator(this.optionsOf(shape), aggregation.options.boundaries));
  }

  /** @returns what all instruments have measured since the last call */
  takeDeltas(): Deltas {
    return this.created.flatMap((accumulator) => accumulator.take() ?? []);
  }

  /** @returns each family's label names, in the order of their values in deltas */
  familyLabels(): ReadonlyMap<string, readonly string[]> {
    return new Map(this.created.map(({ family, labels }) => [family, labels]));
  }

  private keep<A extends Created>(accumulator: A): A {
    this.created.push(accumulator);
    return accumulator;
  }

  private viewOf(instrument: InstrumentName): View {
    const view = this.views.get(instrument);
    if (view === undefined) throw new Error(`no View has the instrument ${instrument}`);
    return view;
  }

  private optionsOf({ instrument, fixed = {}, labels, values, reports }: Shape): AccumulatorOptions {
    const { name: family, aggregationCardinalityLimit: seriesLimit } = this.viewOf(instrument);
    const { labelFull, familyFull } = reports ?? {};
    const onFull: OnLabelFull | undefined = labelFull && ((...full) => labelFull(family, ...full));
    const isRoute = (path: string) => values?.isRoute(path) ?? true;
    const room = seriesRoom({ labels, seriesLimit, isRoute });
    const admit = values?.admitterOf(labels, onFull) ?? ((own: readonly string[]) => own.map(cleanLabelValue));
    const fold: AccumulatorOptions['fold'] = (each, size) => {
      const fitted = room(each, size);
      if (fitted !== undefined) familyFull?.(family, seriesLimit, fitted.isFull);
      return fitted?.values;
    };
    this.rooms.set(
      family,
      memberRoom({ fixedCount: Object.keys(fixed).length, labels, limits: values, onFull, admit, fold }),
    );
    return { family, fixed, labels, admit, fold, isKept: isSameButMarked, onChange: this.onChange };
  }
}

/**
 * What the exporter measures of itself. All label values are our own and few, so that nothing is reported of them:
 * the counters of overflows would have to count themselves.
 */
export function createSelfMetrics(accumulators: Accumulators) {
  const counter = (instrument: InstrumentName, labels: readonly string[]) =>
    accumulators.counter({ instrument, labels });
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
export function createInstruments(accumulators: Accumulators, settings: InstrumentsSettings, reports: OverflowReports) {
  const { syscode, labelValuesLimit, env, flaskMetrics } = settings;
  const identity = { appid: syscode.slice(0, APPID_CHARACTERS), application: syscode };
  const limits = () => ({ values: new LabelLimits(labelValuesLimit), reports });
  /** Of an instrument whose label values were recorded, and reported, in another one before. */
  const further = { reports: { familyFull: reports.familyFull } };

  const inner = limits();
  const innerFamily = familyNames(syscode)[INSTRUMENTS.inner];
  const onPathFull: OnLabelFull = (...full) => reports.labelFull(innerFamily, ...full);
  const partner = { ...limits(), fixed: identity };
  // consumers have no caller: its label is there for dashboards that are shared
  const consumer = { ...limits(), fixed: { ...identity, f_code: '' } };
  const call = { ...limits(), fixed: { env }, labels: KIND_LABELS.function };

  return {
    /** What to record for a path that no framework reported. */
    pathValue: (path: string) => inner.values.pathValue(path, onPathFull),
    /** Milliseconds, as the two that follow. */
    inner: accumulators.histogram({
      ...inner,
      instrument: INSTRUMENTS.inner,
      fixed: identity,
      labels: KIND_LABELS.inner,
    }),
    partner: accumulators.histogram({
      ...partner,
      instrument: INSTRUMENTS.partner,
      labels: KIND_LABELS.partner,
    }),
    consumer: accumulators.histogram({ ...consumer, instrument: INSTRUMENTS.consumer, labels: KIND_LABELS.consumer }),
    partnerErrors: accumulators.counter({
      ...partner,
      ...further,
      instrument: INSTRUMENTS.partnerErrors,
      labels: ['partner', 'action_code', 'error'],
    }),
    calls: accumulators.counter({ ...call, instrument: INSTRUMENTS.calls }),
    /** Seconds, as the one that follows. */
    lastCall: accumulators.gauge({ ...call, ...further, instrument: INSTRUMENTS.lastCall }),
    callDuration: accumulators.histogram({ ...call, ...further, instrument: INSTRUMENTS.callDuration }),
    callFailures: accumulators.counter({ ...call, ...further, instrument: INSTRUMENTS.callFailures }),
    /** Undefined unless the settings want them: their families are not in the catalogue then. */
    flask: flaskMetrics
      ? {
          /** Seconds. */
          latency: accumulators.histogram({
            ...inner,
            ...further,
            instrument: INSTRUMENTS.flaskLatency,
            labels: ['endpoint', 'method'],
          }),
          count: accumulators.counter({
            ...inner,
            ...further,
            instrument: INSTRUMENTS.flaskCount,
            labels: ['endpoint', 'method', 'http_status'],
          }),
        }
      : undefined,
  };
}

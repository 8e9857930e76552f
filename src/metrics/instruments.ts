/**
 * The instruments, under their neutral names, and the labels of each; the Views give them the names, boundaries and
 * limits that dashboards know.
 */
import type { View } from '../views';
import { INSTRUMENTS, type InstrumentName } from '../views/metric-names';
import { type AccumulatorOptions, CounterAccumulator, GaugeAccumulator, HistogramAccumulator } from './accumulator';
import type { Deltas } from './deltas';
import { LabelLimits, type LabelName, overflowOf } from './label-limits';

export interface InstrumentsSettings {
  readonly syscode: string;
  readonly labelValuesLimit: Readonly<Record<LabelName, number>>;
  /** The label of the same name, of monitored functions. */
  readonly env: string;
}

export interface InstrumentsEvents {
  /** A value was replaced because its label is full. */
  readonly onOverflow: (family: string, label: LabelName, limit: number) => void;
  /** Something was added up under other, because its family is full. */
  readonly onSeriesOverflow: (family: string, limit: number) => void;
  /** Something is to be handed over, of a series that had nothing before. */
  readonly onChange: () => void;
}

export type Instruments = ReturnType<typeof createInstruments>;

interface Shape {
  readonly instrument: InstrumentName;
  /** Labels that are the same on every series. */
  readonly fixed?: Readonly<Record<string, string>>;
  readonly labels: readonly string[];
  /** Shared by the instruments that one kind of measurement is recorded in. */
  readonly values: LabelLimits;
  /** Whether a kind's measurements are recorded in another instrument first, where replaced values are told. */
  readonly isFurther?: true;
}

/** Characters of the system code that name the application's owner. */
const APPID_CHARACTERS = 4;

/** @param views one for each instrument */
export function createInstruments(views: readonly View[], settings: InstrumentsSettings, events: InstrumentsEvents) {
  const { syscode, labelValuesLimit } = settings;
  const viewOf = (instrument: InstrumentName) => views.find((view) => view.instrumentName === instrument);
  const optionsOf = ({ instrument, fixed = {}, labels, values, isFurther }: Shape): AccumulatorOptions => {
    const { name: family = instrument, aggregationCardinalityLimit: seriesLimit = 0 } = viewOf(instrument) ?? {};
    const onOverflow = (label: LabelName, limit: number) => events.onOverflow(family, label, limit);
    const folded = overflowOf(labels);
    return {
      family,
      fixed,
      labels,
      bound: values.admitterOf(labels, isFurther ? undefined : onOverflow),
      seriesLimit,
      fold(each) {
        events.onSeriesOverflow(family, seriesLimit);
        return folded(each);
      },
      onChange: events.onChange,
    };
  };
  const counter = (shape: Shape) => new CounterAccumulator(optionsOf(shape));
  const gauge = (shape: Shape) => new GaugeAccumulator(optionsOf(shape));
  const histogram = (shape: Shape) =>
    new HistogramAccumulator(optionsOf(shape), viewOf(shape.instrument)?.aggregation?.options.boundaries ?? []);

  const identity = { appid: syscode.slice(0, APPID_CHARACTERS), application: syscode };
  const inner = { values: new LabelLimits(labelValuesLimit) };
  const partner = { fixed: identity, values: new LabelLimits(labelValuesLimit) };
  // consumers have no caller: its label is there for dashboards that are shared
  const consumer = { fixed: { ...identity, f_code: '' }, values: new LabelLimits(labelValuesLimit) };
  const call = { fixed: { env: settings.env }, labels: ['url'], values: new LabelLimits(labelValuesLimit) };
  const own = { values: new LabelLimits(labelValuesLimit) };
  const isFurther = true;

  return {
    /** Milliseconds. */
    inner: histogram({
      ...inner,
      instrument: INSTRUMENTS.inner,
      fixed: identity,
      labels: ['f_code', 'path', 'http_status', 'code', 'method_code'],
    }),
    partner: histogram({
      ...partner,
      instrument: INSTRUMENTS.partner,
      labels: ['partner', 'action_code', 'http_status', 'code'],
    }),
    consumer: histogram({ ...consumer, instrument: INSTRUMENTS.consumer, labels: ['topic', 'code'] }),
    partnerErrors: counter({
      ...partner,
      instrument: INSTRUMENTS.partnerErrors,
      labels: ['partner', 'action_code', 'error'],
      isFurther,
    }),
    calls: counter({ ...call, instrument: INSTRUMENTS.calls }),
    /** Seconds. */
    lastCall: gauge({ ...call, instrument: INSTRUMENTS.lastCall, isFurther }),
    callDuration: histogram({ ...call, instrument: INSTRUMENTS.callDuration, isFurther }),
    callFailures: counter({ ...call, instrument: INSTRUMENTS.callFailures, isFurther }),
    /** Seconds. */
    flaskLatency: histogram({
      ...inner,
      instrument: INSTRUMENTS.flaskLatency,
      labels: ['endpoint', 'method'],
      isFurther,
    }),
    flaskCount: counter({
      ...inner,
      instrument: INSTRUMENTS.flaskCount,
      labels: ['endpoint', 'method', 'http_status'],
      isFurther,
    }),
    lostMeasurements: counter({ ...own, instrument: INSTRUMENTS.lostMeasurements, labels: ['family'] }),
    errors: counter({ ...own, instrument: INSTRUMENTS.errors, labels: ['source'] }),
    labelOverflow: counter({ ...own, instrument: INSTRUMENTS.labelOverflow, labels: ['family', 'label'] }),
    seriesOverflow: counter({ ...own, instrument: INSTRUMENTS.seriesOverflow, labels: ['family'] }),
  };
}

/** What all instruments have measured since the last call. */
export function takeDeltas(instruments: Instruments): Deltas {
  return Object.values(instruments).flatMap((instrument) => instrument.take() ?? []);
}

/** @returns each family's label names, in the order of their values in deltas */
export function familyLabels(instruments: Instruments): ReadonlyMap<string, readonly string[]> {
  return new Map(Object.values(instruments).map(({ family, labels }) => [family, labels]));
}

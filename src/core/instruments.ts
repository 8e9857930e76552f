/**
 * The instruments, under their neutral names, and the labels of each; the Views give them the names, boundaries and
 * limits that dashboards know.
 */
import type { View } from '../views';
import { INSTRUMENTS, type InstrumentName } from '../views/metric-names';
import { type AccumulatorOptions, CounterAccumulator, GaugeAccumulator, HistogramAccumulator } from './accumulator';
import type { Deltas } from './deltas';
import { type LabelName, LabelValues } from './label-values';

export interface InstrumentsSettings {
  readonly syscode: string;
  readonly labelValuesLimit: Readonly<Record<LabelName, number>>;
  /** The label of the same name, of monitored functions. */
  readonly env: string;
}

export interface InstrumentsEvents {
  /** A value was replaced because its label is full. */
  readonly onOverflow: (family: string, label: string, limit: number) => void;
  /** Something is to be handed over, of a series that had nothing before. */
  readonly onChange: () => void;
}

export type Instruments = ReturnType<typeof createInstruments>;

/** Characters of the system code that name the application's owner. */
const APPID_CHARACTERS = 4;

/** @param views one for each instrument */
export function createInstruments(views: readonly View[], settings: InstrumentsSettings, events: InstrumentsEvents) {
  const { syscode, env, labelValuesLimit } = settings;
  const identity = { appid: syscode.slice(0, APPID_CHARACTERS), application: syscode };

  const viewOf = (instrument: InstrumentName) => views.find((view) => view.instrumentName === instrument);
  const optionsOf = (
    instrument: InstrumentName,
    fixed: Readonly<Record<string, string>>,
    labels: readonly string[],
  ): AccumulatorOptions => {
    const { name: family = instrument, aggregationCardinalityLimit: seriesLimit = 0 } = viewOf(instrument) ?? {};
    const values = new LabelValues(labels, labelValuesLimit, (label, limit) => events.onOverflow(family, label, limit));
    return {
      family,
      fixed,
      labels,
      seriesLimit,
      bound: (each) => values.admit(each),
      fold: (each) => values.fold(each),
      onChange: events.onChange,
    };
  };
  const counter = (...args: Parameters<typeof optionsOf>) => new CounterAccumulator(optionsOf(...args));
  const histogram = (...args: Parameters<typeof optionsOf>) =>
    new HistogramAccumulator(optionsOf(...args), viewOf(args[0])?.aggregation?.options.boundaries ?? []);

  return {
    /** Milliseconds. */
    inner: histogram(INSTRUMENTS.inner, identity, ['f_code', 'path', 'http_status', 'code', 'method_code']),
    partner: histogram(INSTRUMENTS.partner, identity, ['partner', 'action_code', 'http_status', 'code']),
    // consumers have no caller: its label is there for dashboards that are shared
    consumer: histogram(INSTRUMENTS.consumer, { ...identity, f_code: '' }, ['topic', 'code']),
    partnerErrors: counter(INSTRUMENTS.partnerErrors, identity, ['partner', 'action_code', 'error']),
    calls: counter(INSTRUMENTS.calls, { env }, ['url']),
    /** Seconds. */
    lastCall: new GaugeAccumulator(optionsOf(INSTRUMENTS.lastCall, { env }, ['url'])),
    callDuration: histogram(INSTRUMENTS.callDuration, { env }, ['url']),
    callFailures: counter(INSTRUMENTS.callFailures, { env }, ['url']),
    /** Seconds. */
    flaskLatency: histogram(INSTRUMENTS.flaskLatency, {}, ['endpoint', 'method']),
    flaskCount: counter(INSTRUMENTS.flaskCount, {}, ['endpoint', 'method', 'http_status']),
    lostMeasurements: counter(INSTRUMENTS.lostMeasurements, {}, ['family']),
    errors: counter(INSTRUMENTS.errors, {}, ['source']),
    labelOverflow: counter(INSTRUMENTS.labelOverflow, {}, ['family', 'label']),
  };
}

/** What all instruments have measured since the last call. */
export function takeDeltas(instruments: Instruments): Deltas {
  return Object.values(instruments).flatMap((instrument) => instrument.take() ?? []);
}

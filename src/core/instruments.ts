/** Creates the instruments under their neutral names; the Views give them the names that dashboards know. */
import { type Attributes, type Counter, type Gauge, type Histogram, type Meter, ValueType } from '@opentelemetry/api';
import { INSTRUMENTS } from '../views/metric-names';

export interface Instruments {
  /** Milliseconds. */
  readonly inner: Histogram<Attributes>;
  readonly partner: Histogram<Attributes>;
  readonly consumer: Histogram<Attributes>;
  readonly partnerErrors: Counter<Attributes>;
  readonly calls: Counter<Attributes>;
  /** Seconds. */
  readonly lastCall: Gauge<Attributes>;
  readonly callDuration: Histogram<Attributes>;
  readonly callFailures: Counter<Attributes>;
  /** Seconds. */
  readonly flaskLatency: Histogram<Attributes>;
  readonly flaskCount: Counter<Attributes>;
  readonly lostMeasurements: Counter<Attributes>;
  readonly errors: Counter<Attributes>;
  readonly labelOverflow: Counter<Attributes>;
}

export function createInstruments(meter: Meter): Instruments {
  const counter = (name: string) => meter.createCounter(name, { valueType: ValueType.INT });
  return {
    inner: meter.createHistogram(INSTRUMENTS.inner),
    partner: meter.createHistogram(INSTRUMENTS.partner),
    consumer: meter.createHistogram(INSTRUMENTS.consumer),
    partnerErrors: counter(INSTRUMENTS.partnerErrors),
    calls: counter(INSTRUMENTS.calls),
    lastCall: meter.createGauge(INSTRUMENTS.lastCall),
    callDuration: meter.createHistogram(INSTRUMENTS.callDuration),
    callFailures: counter(INSTRUMENTS.callFailures),
    flaskLatency: meter.createHistogram(INSTRUMENTS.flaskLatency),
    flaskCount: counter(INSTRUMENTS.flaskCount),
    lostMeasurements: counter(INSTRUMENTS.lostMeasurements),
    errors: counter(INSTRUMENTS.errors),
    labelOverflow: counter(INSTRUMENTS.labelOverflow),
  };
}

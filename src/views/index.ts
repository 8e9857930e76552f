/**
 * Shapes what leaves the SDK: every instrument's family name, help text and boundaries stand here and nowhere else.
 *
 * One View per instrument, selected by its exact name: a View with a name that selects several would give them all
 * the same one.
 */
import { AggregationType, type ViewOptions } from '@opentelemetry/sdk-metrics';
import { SERIES_PER_COLLECTION } from './limits';
import { familyNames, INSTRUMENTS, type InstrumentName, METER_NAME } from './metric-names';

export interface ViewSettings {
  readonly syscode: string;
  /** Milliseconds, ascending. */
  readonly innerMetricsBuckets: readonly number[];
  readonly partnerHttpMetricsBuckets: readonly number[];
  readonly consumerMetricsBuckets: readonly number[];
}

/** One metric family as it stands on the scrape. */
export interface Family {
  readonly instrument: InstrumentName;
  readonly name: string;
  readonly help: string;
  /** Milliseconds, for a histogram; a family without is a counter. */
  readonly boundaries?: readonly number[];
}

/** Every family of the scrape, in the order in which it is written. */
export function families(settings: ViewSettings): readonly Family[] {
  const names = familyNames(settings.syscode);
  const family = (instrument: InstrumentName, help: string, boundaries?: readonly number[]): Family => ({
    instrument,
    name: names[instrument],
    help,
    ...(boundaries === undefined ? {} : { boundaries }),
  });
  return [
    family(
      INSTRUMENTS.inner,
      'Duration of inbound HTTP requests, from the request line to the response, in milliseconds.',
      settings.innerMetricsBuckets,
    ),
    family(
      INSTRUMENTS.partner,
      'Duration of HTTP exchanges with partners, from the call to the last byte of the response, in milliseconds.',
      settings.partnerHttpMetricsBuckets,
    ),
    family(
      INSTRUMENTS.consumer,
      'Duration of consumed messages, from delivery to answer, in milliseconds.',
      settings.consumerMetricsBuckets,
    ),
    family(INSTRUMENTS.partnerErrors, 'HTTP exchanges with partners that ended without a status, by cause.'),
    family(INSTRUMENTS.lostMeasurements, 'Measurements that could not be recorded, by family.'),
    family(INSTRUMENTS.errors, 'Errors caught inside the exporter, by the part in which they happened.'),
    family(INSTRUMENTS.labelOverflow, 'Label values replaced by "other" because their label had reached its limit.'),
  ];
}

/** The Views that give every instrument its family. */
export function createViews(catalogue: readonly Family[]): ViewOptions[] {
  return catalogue.map(({ instrument, name, help, boundaries }) => ({
    // the application may have an instrument of the same name in a meter of its own
    meterName: METER_NAME,
    instrumentName: instrument,
    name,
    description: help,
    aggregationCardinalityLimit: SERIES_PER_COLLECTION,
    ...(boundaries === undefined
      ? {}
      : {
          aggregation: {
            type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
            options: { boundaries: [...boundaries], recordMinMax: false },
          },
        }),
  }));
}

/**
 * The standard variables of a push that are read here; those of OTLP are the exporter's own.
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#periodic-exporting-metricreader
 */
import { nearest, show } from '../../errors';

export interface PushSettings {
  readonly intervalMs: number;
  /** Of one push, which may take longer than the interval: the next one waits for it. */
  readonly timeoutMs: number;
  /** What is wrong with the variables; a default is used in place of each. */
  readonly faults: readonly string[];
}

const DEFAULT_INTERVAL_MS = 60_000;
const DEFAULT_TIMEOUT_MS = 30_000;
/** As a timer of Node takes it. */
const MAX_MS = 2 ** 31 - 1;

const AGGREGATION = 'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION';
const EXPONENTIAL = 'base2_exponential_bucket_histogram';
const AGGREGATIONS = ['explicit_bucket_histogram', EXPONENTIAL];

/** Whether what is pushed by OTLP is to have exponential buckets in its histograms. */
export function isExponentialWanted(env: NodeJS.ProcessEnv): boolean {
  return aggregation(env) === EXPONENTIAL;
}

function aggregation(env: NodeJS.ProcessEnv): string {
  return env[AGGREGATION]?.trim().toLowerCase() ?? '';
}

export function pushSettings(env: NodeJS.ProcessEnv): PushSettings {
  const faults: string[] = [];
  const milliseconds = (variable: string, standard: number) => {
    const text = env[variable]?.trim() ?? '';
    if (text === '') return standard;
    const value = Number(text);
    if (Number.isInteger(value) && value > 0 && value <= MAX_MS) return value;
    faults.push(
      `${variable} is no time; got ${show(text)}; expected milliseconds, 1 to ${MAX_MS}. ${standard} is used.`,
    );
    return standard;
  };
  const intervalMs = milliseconds('OTEL_METRIC_EXPORT_INTERVAL', DEFAULT_INTERVAL_MS);
  const timeoutMs = milliseconds('OTEL_METRIC_EXPORT_TIMEOUT', DEFAULT_TIMEOUT_MS);
  const accept = (variable: string, accepted: string) => {
    const text = env[variable]?.trim() ?? '';
    if (text === '' || text.toLowerCase() === accepted) return;
    faults.push(`${variable} has no effect; got ${show(text)}; expected ${accepted}, which is used.`);
  };
  accept('OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', 'cumulative');
  accept(
    env.OTEL_EXPORTER_OTLP_METRICS_PROTOCOL ? 'OTEL_EXPORTER_OTLP_METRICS_PROTOCOL' : 'OTEL_EXPORTER_OTLP_PROTOCOL',
    'http/protobuf',
  );
  const word = aggregation(env);
  if (word !== '' && !AGGREGATIONS.includes(word)) {
    const near = nearest(word, AGGREGATIONS);
    const hint = near === undefined ? '' : ` Did you mean ${near}?`;
    faults.push(
      `${AGGREGATION} names no aggregation; got ${show(word)}; expected ${AGGREGATIONS.join(' or ')}. ${AGGREGATIONS[0]} is used.${hint}`,
    );
  }
  return { intervalMs, timeoutMs, faults };
}

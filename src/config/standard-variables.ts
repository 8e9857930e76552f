/**
 * Standard variables that an application sets for an SDK of its own. Each has one of ours with the same meaning, which
 * wins. Read before anything else is loaded.
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */

/** Ours by the standard one. */
export const OWN_VARIABLES = {
  OTEL_SDK_DISABLED: 'CHANNEL_EXPORTER_DISABLED',
  OTEL_METRICS_EXPORTER: 'CHANNEL_EXPORTER_METRICS_EXPORTER',
  OTEL_LOG_LEVEL: 'CHANNEL_EXPORTER_LOG_LEVEL',
  OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'CHANNEL_EXPORTER_ENABLED_INSTRUMENTATIONS',
  OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'CHANNEL_EXPORTER_DISABLED_INSTRUMENTATIONS',
  OTEL_SERVICE_NAME: 'CHANNEL_EXPORTER_SERVICE_NAME',
  OTEL_RESOURCE_ATTRIBUTES: 'CHANNEL_EXPORTER_RESOURCE_ATTRIBUTES',
} as const;

export type StandardVariable = keyof typeof OWN_VARIABLES;

/** A variable that is set. */
export interface Given {
  readonly name: string;
  readonly value: string;
}

/** @returns ours where it is set, else the standard one; undefined where neither is: an empty variable counts as unset */
export function given(env: NodeJS.ProcessEnv, standard: StandardVariable): Given | undefined {
  return set(env, OWN_VARIABLES[standard]) ?? set(env, standard);
}

export function set(env: NodeJS.ProcessEnv, name: string): Given | undefined {
  const value = env[name];
  return value === undefined || value.trim() === '' ? undefined : { name, value };
}

/** The words of a variable that holds a list, in lower case. */
export function words(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== '');
}

/** Values of OTEL_METRICS_EXPORTER. */
export const METRICS_EXPORTERS = ['prometheus', 'otlp', 'console', 'none'] as const;
export type MetricsExporter = (typeof METRICS_EXPORTERS)[number];

/**
 * Where metrics go.
 * @returns the exporters that are named, each once; `none` alone; without a known name `prometheus`
 */
export function metricsExporters(env: NodeJS.ProcessEnv): readonly MetricsExporter[] {
  const named = words(given(env, 'OTEL_METRICS_EXPORTER')?.value ?? '');
  const known = METRICS_EXPORTERS.filter((name) => named.includes(name));
  if (known.length > 1) return known.filter((name) => name !== 'none');
  return known.length === 0 ? ['prometheus'] : known;
}

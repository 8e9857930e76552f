/** The standard switches that turn everything off; read before anything else is loaded. */

/**
 * @returns which standard switch turns the exporter off; undefined when none does
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export function offSwitch(env: NodeJS.ProcessEnv): string | undefined {
  if (env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true') return 'OTEL_SDK_DISABLED is true';
  if (env.OTEL_METRICS_EXPORTER?.trim().toLowerCase() === 'none') return 'OTEL_METRICS_EXPORTER is none';
  return undefined;
}

/** The switches that turn everything off; read before anything else is loaded. */
import { given, metricsExporters, OWN_VARIABLES, set } from './standard-variables';
import { SWITCH_WORDS } from './switch-words';

/**
 * @returns which variable turns the exporter off, and its value; undefined when none does
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export function offSwitch(env: NodeJS.ProcessEnv): string | undefined {
  const disabled = disabledBy(env);
  if (disabled !== undefined) return `${disabled} is true`;
  const [exporter] = metricsExporters(env);
  return exporter === 'none' ? `${given(env, 'OTEL_METRICS_EXPORTER')?.name} is none` : undefined;
}

/** Ours has the words of every switch of ours, the standard one only `true`. */
function disabledBy(env: NodeJS.ProcessEnv): string | undefined {
  const ours = set(env, OWN_VARIABLES.OTEL_SDK_DISABLED);
  const isDisabled = SWITCH_WORDS.get(ours?.value.trim().toLowerCase() ?? '');
  if (isDisabled !== undefined) return isDisabled ? ours?.name : undefined;
  return env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true' ? 'OTEL_SDK_DISABLED' : undefined;
}

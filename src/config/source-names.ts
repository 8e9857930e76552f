/** The variables that choose sources of measurements by their names. */
import { type Given, OWN_VARIABLES, set, words } from './standard-variables';

const ENABLED = 'OTEL_NODE_ENABLED_INSTRUMENTATIONS';
const DISABLED = 'OTEL_NODE_DISABLED_INSTRUMENTATIONS';
/** All sources, where a variable that is not set would leave it to the standard one. */
const ALL = 'all';
const NONE = 'none';

interface SourceVariables {
  readonly isOurs: boolean;
  readonly enabled: Given | undefined;
  readonly disabled: Given | undefined;
}

/** Words that stand for no single source. */
export const WORDS_OF_MANY: readonly string[] = [ALL, NONE];

/** Both are ours or both are standard: one half of what was written for another SDK is nobody's wish. */
export function sourceVariables(env: NodeJS.ProcessEnv): SourceVariables {
  const [enabled, disabled] = [set(env, OWN_VARIABLES[ENABLED]), set(env, OWN_VARIABLES[DISABLED])];
  if (enabled !== undefined || disabled !== undefined) return { isOurs: true, enabled, disabled };
  return { isOurs: false, enabled: set(env, ENABLED), disabled: set(env, DISABLED) };
}

/** @returns a function that gives the variable that switches a source off; undefined for one that is on */
export function sourcesOffBy(env: NodeJS.ProcessEnv): (name: string) => string | undefined {
  const { enabled, disabled } = sourceVariables(env);
  const wanted = words(enabled?.value ?? ALL);
  const unwanted = words(disabled?.value ?? NONE);
  const areAllWanted = wanted.length === 0 || wanted.includes(ALL);
  return (name) => {
    if (unwanted.includes(name)) return disabled?.name;
    return areAllWanted || wanted.includes(name) ? undefined : enabled?.name;
  };
}

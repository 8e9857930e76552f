/** Every setting with the value that is in force, and where it comes from. */
import { givenValue } from '../../config/resolve';
import { type AnySetting, SETTINGS } from '../../config/settings';
import { given, OWN_VARIABLES, type StandardVariable } from '../../config/standard-variables';

/** One setting. */
export interface InForce {
  readonly name: string;
  /** As it would be written; of a default, as it stands in the documentation. */
  readonly value: string;
  readonly from: { readonly kind: Origin; readonly name: string };
  /** Whether what it is given as cannot be used. */
  readonly isFaulty: boolean;
}

/** `standard variable`: one of OpenTelemetry's; `option`: one of this command. */
export type Origin = 'option' | 'environment' | 'standard variable' | 'default';

const HIDDEN = '(set, not shown)';
const NOT_SET = 'not set';
/** Settings that may hold what nobody is to read over a shoulder. */
const SECRET = /passw|secret|token|credential|auth|header|(^|_)key($|_)/i;

/** Standard variables with what is in force without them. */
const STANDARD: Readonly<Record<StandardVariable, string>> = {
  OTEL_SDK_DISABLED: 'off',
  OTEL_METRICS_EXPORTER: 'prometheus',
  OTEL_LOG_LEVEL: 'info',
  OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'all',
  OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'none',
  OTEL_SERVICE_NAME: 'the system code',
  OTEL_RESOURCE_ATTRIBUTES: 'none',
};

/** @param options that win over the environment */
export function settingsInForce(options: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv): InForce[] {
  return [
    ...SETTINGS.map((setting) => settingInForce(setting, options, env)),
    ...Object.keys(STANDARD).map((name) => standardInForce(name as StandardVariable, env)),
  ];
}

function settingInForce(
  setting: AnySetting,
  options: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv,
): InForce {
  const { option, variable, defaultText } = setting;
  const source = givenValue(setting, options, env);
  if (source === undefined) {
    const isFaulty = defaultText === undefined;
    return { name: variable, value: defaultText ?? NOT_SET, from: { kind: 'default', name: '' }, isFaulty };
  }
  const { raw, from } = source;
  const parsed = setting.parse(raw, from);
  const isFaulty = 'problem' in parsed;
  // a text that was understood as another one, such as a system code in lower case
  const value = !isFaulty && typeof parsed.value === 'string' ? parsed.value : String(raw);
  const kind: Origin = from === option ? 'option' : from === variable ? 'environment' : 'standard variable';
  const name = kind === 'option' ? `--${from}` : from;
  return { name: variable, value: shown(variable, value), from: { kind, name }, isFaulty };
}

function standardInForce(standard: StandardVariable, env: NodeJS.ProcessEnv): InForce {
  const own = OWN_VARIABLES[standard];
  const found = given(env, standard);
  if (found === undefined) {
    return { name: own, value: STANDARD[standard], from: { kind: 'default', name: '' }, isFaulty: false };
  }
  const value = standard === 'OTEL_RESOURCE_ATTRIBUTES' ? attributeNames(found.value) : shown(own, found.value);
  const kind: Origin = found.name === own ? 'environment' : 'standard variable';
  return { name: own, value, from: { kind, name: found.name }, isFaulty: false };
}

function shown(variable: string, value: string): string {
  return SECRET.test(variable) ? HIDDEN : value.replace(/\/\/[^/@\s]*@/g, '//…@');
}

/** Values of attributes may say more than is to be shown. */
function attributeNames(text: string): string {
  return text
    .split(',')
    .map((entry) => entry.split('=')[0]?.trim())
    .filter(Boolean)
    .join(', ');
}

/**
 * Options, then environment, then defaults, resolved once into one frozen Config; all problems together.
 */
import { ConfigError, nearest, type Problem, problem } from '../errors';
import { type PartnerHosts, parsePartnerDirectory } from '../partners/check';
import { readPartnerFile } from '../partners/file';
import { PRESET_HOSTS } from '../partners/presets';
import { type AnySetting, SETTINGS, type SettingName, type SettingValues, unknownVariables } from './settings';

/** The resolved settings. */
export interface Config extends Readonly<SettingValues> {
  /** Entries of the partner file, or of the object given as an option; empty without. */
  readonly partnerHosts: PartnerHosts;
  /** Sources of measurements that are switched on, by OTEL_NODE_ENABLED_INSTRUMENTATIONS and _DISABLED_. */
  isInstrumentationEnabled(name: string): boolean;
}

/** The Config, and warnings about variables that have no effect. */
export interface Resolved {
  readonly config: Config;
  /** Texts for the log. */
  readonly warnings: readonly string[];
}

/**
 * Resolves every setting and reads the partner file.
 * @throws {ConfigError} listing everything that is wrong
 */
export function resolveConfig(options: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv): Resolved {
  const { values, partnerHosts } = resolveSettings(SETTINGS, options, env);
  const enabled = instrumentationFilter(env);
  const config: Config = Object.freeze({
    ...(values as SettingValues),
    partnerHosts,
    isInstrumentationEnabled: enabled,
  });
  return { config, warnings: variableWarnings(env) };
}

/** The settings that spans need. */
const SPAN_SETTINGS = ['partners', 'partnersPreset', 'bodyLimit'] as const;

export type SpanConfig = Pick<Config, (typeof SPAN_SETTINGS)[number] | 'partnerHosts'>;

/**
 * Resolves the settings that spans need, and reads the partner file; other settings are ignored.
 * @throws {ConfigError} listing everything that is wrong
 */
export function resolveSpanConfig(options: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv): SpanConfig {
  const wanted: readonly SettingName[] = SPAN_SETTINGS;
  const rows = SETTINGS.filter(({ option }) => wanted.includes(option));
  const { values, partnerHosts } = resolveSettings(rows, options, env);
  return Object.freeze({ ...(values as SettingValues), partnerHosts });
}

/** @throws {ConfigError} listing everything that is wrong */
function resolveSettings(
  settings: readonly AnySetting[],
  options: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv,
): { values: Partial<SettingValues>; partnerHosts: PartnerHosts } {
  const problems: Problem[] = unknownOptions(settings, options);
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const setting of settings) {
    const given = source(setting, options, env);
    if (given === undefined) {
      if (setting.defaultText === undefined) problems.push(missing(setting));
      values[setting.option] = setting.defaultValue;
      continue;
    }
    const parsed = setting.parse(given.raw, given.from);
    if ('problem' in parsed) problems.push(parsed.problem);
    else values[setting.option] = parsed.value;
  }
  const partnerHosts = loadPartners(values.partners, problems);

  const [first, ...rest] = problems;
  if (first !== undefined) throw new ConfigError([first, ...rest]);
  return { values: values as Partial<SettingValues>, partnerHosts };
}

function source(
  setting: AnySetting,
  options: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv,
): { raw: unknown; from: string } | undefined {
  const option = options[setting.option];
  if (option !== undefined) return { raw: option, from: setting.option };
  for (const variable of [setting.variable, ...(setting.alsoVariables ?? [])]) {
    const raw = env[variable];
    // an empty variable counts as unset, as everywhere in OpenTelemetry
    if (raw !== undefined && raw !== '') return { raw, from: variable };
  }
  return undefined;
}

function missing(setting: AnySetting): Problem {
  return problem('CHX_SYSCODE_MISSING', {
    wrong: `${setting.variable} is not set`,
    expected: 'one ASCII letter and nine ASCII digits, such as A123010101',
    remedy: `Set the variable ${setting.variable}, or call start({ ${setting.option}: … }).`,
  });
}

function unknownOptions(settings: readonly AnySetting[], options: Readonly<Record<string, unknown>>): Problem[] {
  const known: string[] = settings.map((setting) => setting.option);
  return Object.keys(options)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const near = nearest(name, known);
      return problem('CHX_OPTION_UNKNOWN', {
        wrong: 'there is no such option',
        got: name,
        expected: `one of ${known.join(', ')}`,
        remedy: near === undefined ? 'Remove it.' : `Did you mean ${near}?`,
      });
    });
}

function variableWarnings(env: NodeJS.ProcessEnv): string[] {
  const known: string[] = SETTINGS.map((setting) => setting.variable);
  return unknownVariables(env).map((name) => {
    const near = nearest(name, known);
    return `${name} is not a setting and has no effect.${near === undefined ? '' : ` Did you mean ${near}?`}`;
  });
}

function loadPartners(partners: unknown, problems: Problem[]): PartnerHosts {
  if (partners === undefined) return [];
  const loaded = typeof partners === 'string' ? readPartnerFile(partners) : parsePartnerDirectory(partners);
  problems.push(...loaded.problems);
  return loaded.hosts;
}

/** Number of hosts that the preset brings. */
export const PRESET_HOST_COUNT = PRESET_HOSTS.length;

function instrumentationFilter(env: NodeJS.ProcessEnv): (name: string) => boolean {
  const words = (variable: string) =>
    (env[variable] ?? '')
      .split(',')
      .map((word) => word.trim().toLowerCase())
      .filter((word) => word !== '');
  const enabled = words('OTEL_NODE_ENABLED_INSTRUMENTATIONS');
  const disabled = words('OTEL_NODE_DISABLED_INSTRUMENTATIONS');
  return (name) => (enabled.length === 0 || enabled.includes(name)) && !disabled.includes(name);
}

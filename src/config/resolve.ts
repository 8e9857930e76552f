/**
 * Options, then environment, then defaults, resolved once into one frozen Config; all problems together.
 */
import { type CallerRules, NO_CALLER_RULES } from '../callers/callers';
import { parseCallers } from '../callers/check';
import { readCallersFile } from '../callers/file';
import { ConfigError, type Problem, problem } from '../errors';
import { type PartnerHosts, parsePartnerDirectory } from '../partners/check';
import { readPartnerFile } from '../partners/file';
import { PRESET_HOSTS } from '../partners/presets';
import { parsePaths } from '../paths/check';
import { NO_PATH_RULES, type PathRules } from '../paths/concrete-paths';
import { readPathsFile } from '../paths/file';
import { optionsFault, unknownOptions } from './option-names';
import { type ResourceAttributes, resourceFromEnvironment } from './resource';
import { type AnySetting, SETTINGS, type SettingName, type SettingValues } from './settings';
import { sourcesOffBy } from './source-names';
import { misspelled, type SettingWarning, variableWarnings } from './variable-warnings';
import { viewClashes } from './views';

/** What is in the files that the settings name, or in objects given in their place. */
interface ReadFiles {
  /** Entries of the partner file; empty without. */
  readonly partnerHosts: PartnerHosts;
  readonly callerRules: CallerRules;
  readonly pathRules: PathRules;
}

/** The resolved settings. */
export interface Config extends Readonly<SettingValues>, ReadFiles {
  /** Of the service, with its name. */
  readonly resourceAttributes: ResourceAttributes;
  /** The variable that switches a source of measurements off; undefined for one that is on. */
  sourceOffBy(name: string): string | undefined;
}

/** The Config, and warnings about variables that have no effect. */
export interface Resolved {
  readonly config: Config;
  readonly warnings: readonly SettingWarning[];
}

/**
 * Resolves every setting and reads the files that they name.
 * @param options as the application gave them: anything
 * @param sources names of all sources of measurements
 * @param overrides options that win over those of the application
 * @throws {ConfigError} listing everything that is wrong
 */
export function resolveConfig(
  options: unknown,
  env: NodeJS.ProcessEnv,
  sources: readonly string[] = [],
  overrides: Readonly<Record<string, unknown>> = {},
): Resolved {
  const fault = optionsFault(options);
  if (fault !== undefined) throw new ConfigError([fault]);
  const { values, ...read } = resolveSettings(SETTINGS, { ...(options as object), ...overrides }, env);
  const { attributes } = resourceFromEnvironment(env, values.syscode as string);
  const config: Config = Object.freeze({
    ...(values as SettingValues),
    ...read,
    resourceAttributes: attributes,
    sourceOffBy: sourcesOffBy(env),
  });
  return { config, warnings: settingWarnings(env, sources) };
}

/**
 * @param sources names of all sources of measurements
 * @returns what to log of variables that have no effect
 */
export function settingWarnings(env: NodeJS.ProcessEnv, sources: readonly string[]): readonly SettingWarning[] {
  const { fault } = resourceFromEnvironment(env, '');
  const resource: SettingWarning[] = fault === undefined ? [] : [{ code: 'CHX_VARIABLE_VALUE', text: fault }];
  return [...variableWarnings(env, sources), ...resource];
}

/** The settings that spans need. */
const SPAN_SETTINGS = [
  'partners',
  'partnersPreset',
  'callers',
  'bodyLimit',
  'methodCodeFrom',
  'codeFrom',
  'codeDepth',
] as const;

export type SpanConfig = Pick<Config, (typeof SPAN_SETTINGS)[number] | keyof ReadFiles>;

/**
 * Resolves the settings that spans need, and reads the files of partners and callers; other settings are ignored.
 * @throws {ConfigError} listing everything that is wrong
 */
export function resolveSpanConfig(options: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv): SpanConfig {
  const wanted: readonly SettingName[] = SPAN_SETTINGS;
  const rows = SETTINGS.filter(({ option }) => wanted.includes(option));
  const { values, ...read } = resolveSettings(rows, options, env);
  return Object.freeze({ ...(values as SettingValues), ...read });
}

/** @throws {ConfigError} listing everything that is wrong */
function resolveSettings(
  settings: readonly AnySetting[],
  options: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv,
): ReadFiles & { values: Partial<SettingValues> } {
  const names = settings.map((setting) => setting.option);
  const problems: Problem[] = unknownOptions(names, options);
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const setting of settings) {
    const given = givenValue(setting, options, env);
    if (given === undefined) {
      if (setting.defaultText === undefined) problems.push(missing(setting, env));
      values[setting.option] = setting.defaultValue;
      continue;
    }
    const parsed = setting.parse(given.raw, given.from);
    if ('problem' in parsed) problems.push(parsed.problem);
    else values[setting.option] = parsed.value;
  }
  const read: ReadFiles = {
    partnerHosts: loadPartners(values.partners, problems),
    callerRules: loadCallers(values.callers, problems),
    pathRules: loadPaths(values.paths, problems),
  };
  if (values.views !== undefined) problems.push(...viewClashes(values as SettingValues));

  const [first, ...rest] = problems;
  if (first !== undefined) throw new ConfigError([first, ...rest]);
  return { values: values as Partial<SettingValues>, ...read };
}

/** @returns what a setting is given as, and by which option or variable; undefined where it has its default */
export function givenValue(
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

function missing(setting: AnySetting, env: NodeJS.ProcessEnv): Problem {
  const near = misspelled(setting.variable, env);
  return problem('CHX_SYSCODE_MISSING', {
    wrong: `${setting.variable} is not set`,
    expected: 'one ASCII letter and nine ASCII digits, such as A123010101',
    remedy:
      near === undefined
        ? `Set the variable ${setting.variable}, or call start({ ${setting.option}: … }).`
        : `The variable ${near} is set; its name has to be ${setting.variable}.`,
  });
}

function loadPartners(partners: unknown, problems: Problem[]): PartnerHosts {
  if (partners === undefined) return [];
  const loaded = typeof partners === 'string' ? readPartnerFile(partners) : parsePartnerDirectory(partners);
  problems.push(...loaded.problems);
  return loaded.hosts;
}

function loadCallers(callers: unknown, problems: Problem[]): CallerRules {
  if (callers === undefined) return NO_CALLER_RULES;
  const loaded = typeof callers === 'string' ? readCallersFile(callers) : parseCallers(callers);
  problems.push(...loaded.problems);
  return loaded.rules;
}

function loadPaths(paths: unknown, problems: Problem[]): PathRules {
  if (paths === undefined) return NO_PATH_RULES;
  const loaded = typeof paths === 'string' ? readPathsFile(paths) : parsePaths(paths);
  problems.push(...loaded.problems);
  return loaded.rules;
}

/** Number of hosts that the preset brings. */
export const PRESET_HOST_COUNT = PRESET_HOSTS.length;

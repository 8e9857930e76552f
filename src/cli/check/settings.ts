/** Checks the settings and the files that they name by the code that a start runs. */
import { offSwitch } from '../../config/off-switch';
import { type Config, resolveConfig, settingWarnings } from '../../config/resolve';
import { PREFIX } from '../../config/settings';
import { ConfigError } from '../../errors';
import { SOURCES } from '../../instrumentations';
import { families } from '../../views';
import { boundariesNote } from '../../views/boundaries-note';
import { type Finding, findingOf } from './findings';
import { type InForce, settingsInForce } from './in-force';
import { partnerAdvice } from './partner-advice';

/** Options of the command that stand for settings. */
export interface SettingOptions {
  readonly partners?: string;
  readonly callers?: string;
  readonly paths?: string;
}

export interface CheckedSettings {
  /** Each keeps the exporter from starting. */
  readonly problems: readonly Finding[];
  readonly warnings: readonly Finding[];
  readonly inForce: readonly InForce[];
  /** Undefined with problems. */
  readonly config: Config | undefined;
}

/** Settings that name a file whose problems have places. */
const FILE_SETTINGS = ['PARTNERS', 'CALLERS', 'PATHS'].map((name) => PREFIX + name);

/** @param options that win over the environment */
export function checkSettings(options: SettingOptions, env: NodeJS.ProcessEnv): CheckedSettings {
  const names = SOURCES.map(({ name }) => name);
  const inForce = settingsInForce({ ...options }, env);
  const files = inForce.filter(({ name }) => FILE_SETTINGS.includes(name)).map(({ value }) => value);
  const warnings: Finding[] = settingWarnings(env, names).map(({ code, text }) => ({ code, text }));
  const off = offSwitch(env);
  if (off !== undefined) warnings.push({ text: `${off}; nothing is measured and nothing is served` });
  try {
    const { config } = resolveConfig(options, env, names);
    if (typeof config.partners === 'string') warnings.push(...partnerAdvice(config.partners));
    const note = boundariesNote(families(config, () => false));
    if (note !== undefined) warnings.push({ text: note });
    return { problems: [], warnings, inForce, config };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const problems = error.problems.map(({ code, message }) => findingOf(code, message, files));
    return { problems, warnings, inForce, config: undefined };
  }
}

/** The settings in force as short texts, for people: what a file or an object holds is not among them. */
import { ANY_DEPTH, type CodeDepths } from '../business-code/code-depth';
import type { SettingInForce } from '../metrics/info-samples';
import type { Config } from './resolve';
import { SETTINGS, type SettingName, type SettingValues } from './settings';

/** Settings whose values are no plain text, number, switch or list. */
const TEXTS: { readonly [Name in SettingName]?: (value: SettingValues[Name]) => string } = {
  partners: (value) => (typeof value === 'string' ? value : 'given as an object'),
  callers: (value) => (typeof value === 'string' ? value : 'given as an object'),
  paths: (value) => (typeof value === 'string' ? value : 'given as an object'),
  codeDepth: ({ otherwise, patterns }: CodeDepths) =>
    [...patterns, ['', otherwise] as const].map(([path, depth]) => (path && `${path}=`) + depthText(depth)).join(', '),
  dropLabels: pairs,
  labelValuesLimit: pairs,
  views: () => 'given',
};

/** @returns every setting in the order of the documentation, under the name of its variable */
export function settingsInForce(config: Config): SettingInForce[] {
  return SETTINGS.map(({ option, variable, defaultValue, defaultText = '' }) => {
    const value: unknown = config[option];
    if (value === defaultValue) return { setting: variable, value: defaultText, isSet: false };
    const text = TEXTS[option] as ((value: unknown) => string) | undefined;
    return { setting: variable, value: text === undefined ? plain(value) : text(value), isSet: true };
  });
}

function plain(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (Array.isArray(value)) return value.join(', ') || 'none';
  return value === undefined ? 'none' : String(value);
}

function depthText(depth: number): string {
  return depth === ANY_DEPTH ? 'all' : String(depth);
}

/** Names with their values, without those that have none. */
function pairs(values: Readonly<Record<string, number | readonly string[]>>): string {
  const set = Object.entries(values).filter(([, value]) => !Array.isArray(value) || value.length > 0);
  return set.map(([name, value]) => `${name}=${value}`).join('; ') || 'none';
}

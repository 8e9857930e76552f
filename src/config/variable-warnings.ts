/** Variables that have no effect, most likely because of a spelling mistake: what is logged of them. */
import { LOG_LEVEL_NAMES } from '../diagnostics/log';
import { nearest, show, type WarningCode } from '../errors';
import { PREFIX, SETTINGS } from './settings';
import { sourceVariables, WORDS_OF_MANY } from './source-names';
import { given, METRICS_EXPORTERS, OWN_VARIABLES, set, words } from './standard-variables';
import { SWITCH_WORDS } from './switch-words';

/** A warning for the log. */
export interface SettingWarning {
  readonly code: WarningCode;
  readonly text: string;
}

const VARIABLES: readonly string[] = [...SETTINGS.map((setting) => setting.variable), ...Object.values(OWN_VARIABLES)];

/**
 * Names of OpenTelemetry's own instrumentations that we have no source for: the variables are theirs too.
 * @see https://opentelemetry.io/docs/zero-code/js/configuration/#excluding-instrumentation-libraries
 */
const NAMES_OF_OTHERS = [
  'aws-lambda',
  'aws-sdk',
  'bunyan',
  'cassandra-driver',
  'connect',
  'cucumber',
  'dataloader',
  'dns',
  'fs',
  'generic-pool',
  'graphql',
  'grpc',
  'ioredis',
  'knex',
  'lru-memoizer',
  'memcached',
  'mongodb',
  'mongoose',
  'mysql',
  'mysql2',
  'nestjs-core',
  'net',
  'openai',
  'oracledb',
  'pg',
  'pino',
  'redis',
  'redis-4',
  'restify',
  'router',
  'runtime-node',
  'socket.io',
  'tedious',
  'winston',
];

/**
 * @param sources names of all sources of measurements
 * @returns what to log of variables that have no effect
 */
export function variableWarnings(env: NodeJS.ProcessEnv, sources: readonly string[]): SettingWarning[] {
  return [
    ...unknownVariables(env),
    ...metricsExporterWarnings(env),
    ...switchWarnings(env),
    ...sourceNameWarnings(env, sources),
  ];
}

/** A variable of the environment whose name is nearly that of a setting which is not set. */
export function misspelled(variable: string, env: NodeJS.ProcessEnv): string | undefined {
  return Object.keys(env).find((name) => name !== variable && nearest(name, [variable]) !== undefined);
}

/** Variables with our prefix, in any case and nearly so spelled, that no setting has. */
function unknownVariables(env: NodeJS.ProcessEnv): SettingWarning[] {
  return Object.keys(env).flatMap((name): SettingWarning[] => {
    // on Windows a name is found in any case
    if (VARIABLES.includes(name) || !name.toUpperCase().includes('EXPORTER_')) return [];
    if (VARIABLES.includes(name.toUpperCase()) && env[name.toUpperCase()] !== undefined) return [];
    const near = nearest(name, VARIABLES);
    if (near === undefined && !name.toUpperCase().startsWith(PREFIX)) return [];
    const hint = near === undefined ? '' : ` Did you mean ${near}?`;
    return [{ code: 'CHX_VARIABLE_UNKNOWN', text: `${name} is not a setting and has no effect.${hint}` }];
  });
}

function metricsExporterWarnings(env: NodeJS.ProcessEnv): SettingWarning[] {
  const { name: variable = '', value = '' } = given(env, 'OTEL_METRICS_EXPORTER') ?? {};
  return words(value).flatMap((word) => unknownWord(variable, 'exporter of metrics', word, METRICS_EXPORTERS));
}

/** Of ours alone: what the standard ones say is the business of the application's SDK too. */
function switchWarnings(env: NodeJS.ProcessEnv): SettingWarning[] {
  const rows = [
    [OWN_VARIABLES.OTEL_SDK_DISABLED, 'switch', [...SWITCH_WORDS.keys()]],
    [OWN_VARIABLES.OTEL_LOG_LEVEL, 'level', LOG_LEVEL_NAMES],
  ] as const;
  return rows.flatMap(([variable, what, known]) => {
    const word = set(env, variable)?.value.trim().toLowerCase();
    return word === undefined ? [] : unknownWord(variable, what, word, known);
  });
}

/** @returns a warning of a word that is not known, with all that are known */
function unknownWord(variable: string, what: string, word: string, known: readonly string[]): SettingWarning[] {
  if (known.includes(word)) return [];
  const near = nearest(word, known);
  const hint = near === undefined ? '' : ` Did you mean ${near}?`;
  const text = `${variable} names no ${what}; got ${show(word)}; expected ${known.join(', ')}.${hint}`;
  return [{ code: 'CHX_VARIABLE_VALUE', text }];
}

/**
 * Of the standard variables, only names that are nearly one that exists: any other may be an instrumentation of
 * somebody else's.
 */
function sourceNameWarnings(env: NodeJS.ProcessEnv, sources: readonly string[]): SettingWarning[] {
  const { isOurs, enabled, disabled } = sourceVariables(env);
  const known = isOurs ? [...sources, ...WORDS_OF_MANY] : [...sources, ...NAMES_OF_OTHERS];
  return [enabled, disabled].flatMap((variable) =>
    words(variable?.value ?? '').flatMap((word): SettingWarning[] => {
      if (known.includes(word)) return [];
      const near = nearest(word, sources) ?? nearest(word, known);
      if (near === undefined && !isOurs) return [];
      const hint = near === undefined ? ` The sources are ${sources.join(', ')}.` : ` Did you mean ${near}?`;
      const text = `${variable?.name} names no source; got ${show(word)}.${hint}`;
      return [{ code: 'CHX_VARIABLE_VALUE', text }];
    }),
  );
}

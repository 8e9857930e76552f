/** Variables that have no effect, most likely because of a spelling mistake: what is logged of them. */
import { nearest, show, type WarningCode } from '../errors';
import { PREFIX, SETTINGS } from './settings';

/** A warning for the log. */
export interface SettingWarning {
  readonly code: WarningCode;
  readonly text: string;
}

const VARIABLES: readonly string[] = SETTINGS.map((setting) => setting.variable);

/** Values of OTEL_METRICS_EXPORTER that agree with what this package does, or turn it off. */
const METRICS_EXPORTERS = ['none', 'prometheus'];

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
  return [...unknownVariables(env), ...metricsExporterWarnings(env), ...sourceNameWarnings(env, sources)];
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
  const { OTEL_METRICS_EXPORTER: value = '' } = env;
  const names = words(value);
  if (names.length === 0 || names.some((name) => METRICS_EXPORTERS.includes(name))) return [];
  const near = nearest(value.trim(), METRICS_EXPORTERS);
  const hint = near === undefined ? 'none switches it off.' : `Did you mean ${near}?`;
  const text = `OTEL_METRICS_EXPORTER has no effect here; got ${show(value)}: metrics are served to Prometheus. ${hint}`;
  return [{ code: 'CHX_VARIABLE_VALUE', text }];
}

/** Only names that are nearly ours: any other may be an instrumentation of somebody else's. */
function sourceNameWarnings(env: NodeJS.ProcessEnv, sources: readonly string[]): SettingWarning[] {
  const theirs = [...sources, ...NAMES_OF_OTHERS];
  return ['OTEL_NODE_ENABLED_INSTRUMENTATIONS', 'OTEL_NODE_DISABLED_INSTRUMENTATIONS'].flatMap((variable) =>
    words(env[variable] ?? '').flatMap((name): SettingWarning[] => {
      const near = theirs.includes(name) ? undefined : nearest(name, sources);
      if (near === undefined) return [];
      const text = `${variable} names no source; got ${show(name)}. Did you mean ${near}?`;
      return [{ code: 'CHX_VARIABLE_VALUE', text }];
    }),
  );
}

/** The words of a variable that holds a list, in lower case. */
export function words(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== '');
}

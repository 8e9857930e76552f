/**
 * `start()`: tells whether anything is to be measured in this process. What measures is loaded only then, so that a
 * process whose exporter is switched off pays next to nothing.
 */
import { offSwitch } from './config/off-switch';
import type { SettingValues } from './config/settings';
import { logLine, setLogLevel, warn } from './diagnostics/log';
import { applicationEnvironment } from './processes/launchers';
import { sharedState } from './shared-state';

/** The partner directory as an object, in the shape of the partner file. */
export interface PartnerDirectoryOption {
  hosts: Record<
    string,
    {
      /** Partner code. */
      partner: string | number;
      /** Further names of the same host. */
      aliases?: string[];
      /** Exact paths or patterns to action codes. */
      paths?: Record<string, string | number>;
    }
  >;
}

/**
 * Options of {@link start}; each wins over its variable in the environment, and that over the default.
 */
export interface StartOptions {
  /** System code: one ASCII letter and nine digits. Variable SYSCODE. Required, here or there. */
  syscode?: string;
  /** Port of the scrape; 0 takes any free one. Variable CHANNEL_EXPORTER_PORT. Default 9166. */
  port?: number;
  /** Address to listen on. Variable CHANNEL_EXPORTER_HOST. Default: all interfaces. */
  host?: string;
  /** Path of the partner file, or the directory itself. Variable CHANNEL_EXPORTER_PARTNERS. Default: none. */
  partners?: string | PartnerDirectoryOption;
  /** Whether the shipped partner table is in force below it. Variable CHANNEL_EXPORTER_PARTNERS_PRESET. Default true. */
  partnersPreset?: boolean;
  /** Bucket boundaries in milliseconds, ascending. Variable CHANNEL_EXPORTER_INNER_METRICS_BUCKETS. */
  innerMetricsBuckets?: readonly number[];
  /** Bucket boundaries in milliseconds, ascending. Variable CHANNEL_EXPORTER_PARTNER_HTTP_METRICS_BUCKETS. */
  partnerHttpMetricsBuckets?: readonly number[];
  /** Bucket boundaries in milliseconds, ascending. Variable CHANNEL_EXPORTER_CONSUMER_METRICS_BUCKETS. */
  consumerMetricsBuckets?: readonly number[];
  /** Inbound paths that are not recorded. Variable CHANNEL_EXPORTER_IGNORE_PATHS. Default /healthcheck and /metrics. */
  ignorePaths?: readonly string[];
  /** Bytes of a body that are read for codes; 0: none. Variable CHANNEL_EXPORTER_BODY_LIMIT. Default 65,536. */
  bodyLimit?: number;
  /** Distinct values of each label. Variable CHANNEL_EXPORTER_LABEL_VALUES_LIMIT. Default 1,000 for path, else 200. */
  labelValuesLimit?: number | Partial<SettingValues['labelValuesLimit']>;
  /** Series of each family. Variable CHANNEL_EXPORTER_SERIES_LIMIT. Default 5,000. */
  seriesLimit?: number;
  /** The label `env` of functions given to `monitor`. Variable ENV. Default PROD. */
  env?: string;
  /** Also counts requests under Flask exporters' names. Variable CHANNEL_EXPORTER_FLASK_METRICS. Default false. */
  flaskMetrics?: boolean;
  /** True: the application's own port answers /metrics where it would answer 404; or the path. Variable CHANNEL_EXPORTER_APP_METRICS. Default false. */
  appMetrics?: boolean | string;
  /** Whether our meter provider becomes the global one of the OpenTelemetry API. Variable CHANNEL_EXPORTER_GLOBAL. Default false. */
  global?: boolean;
  /** Whether prom-client's default registry is on the scrape too. Variable CHANNEL_EXPORTER_PROM_CLIENT. Default false. */
  promClient?: boolean;
}

/** A running exporter. */
export interface Exporter {
  /** Address of the scrape, such as `http://localhost:9166/metrics`; empty when the exporter is switched off. */
  readonly url: string;
  /** Stops observing and serving. Counts end with it; a later {@link start} begins from zero. Does not reject. */
  shutdown(): Promise<void>;
}

/**
 * Starts the exporter in this process: observes from now on and serves the scrape.
 *
 * Call it before anything else is loaded, or preload `channel-exporter/register` instead. Calling it again, from this
 * or another copy of the package, gives back the exporter that runs.
 * @throws {ConfigError} listing every problem of the settings and the partner file; nothing is started then
 */
export function start(options: StartOptions = {}): Exporter {
  const env = applicationEnvironment(process.env);
  const shared = sharedState();
  if (shared.running !== undefined) {
    if (Object.keys(options).length > 0) {
      warn('CHX_ALREADY_STARTED', 'start', 'the exporter runs already; the options of this start() have no effect');
    }
    return shared.running as Exporter;
  }
  setLogLevel(env.OTEL_LOG_LEVEL);
  const off = offSwitch(env);
  if (off !== undefined) {
    if (!shared.hasSaidOff && isMainThread()) logLine('info', `${off}; nothing is measured and nothing is served`);
    shared.hasSaidOff = true;
    return { url: '', shutdown: async () => undefined };
  }
  const { run } = require('./compose') as typeof import('./compose');
  const exporter = run(options, env);
  shared.running = exporter;
  return exporter;
}

/** Asked late, because this module of Node's brings streams with it. */
function isMainThread(): boolean {
  return (require('node:worker_threads') as typeof import('node:worker_threads')).isMainThread;
}

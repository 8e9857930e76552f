/** What `start()` takes and gives back. */
import type { AggregationOption, ViewOptions } from '@opentelemetry/sdk-metrics';
import type { LabelName } from './metrics/label-limits';
import type { MeasurementKind } from './metrics/measurement';

/** A View as OpenTelemetry's SDK takes it; the type of the aggregation may also be its name, such as `DROP`. */
export type ViewOption = Omit<ViewOptions, 'aggregation'> & {
  aggregation?:
    | AggregationOption
    | { type: 'DROP' }
    | { type: 'EXPLICIT_BUCKET_HISTOGRAM'; options: { boundaries: number[] } };
};

/** The partner directory as an object, in the shape of the partner file. */
export interface PartnerDirectoryOption {
  hosts: Record<
    string,
    {
      /** Partner code. */
      partner: string | number;
      /** What the partner is called. */
      name?: string | number;
      /** Business codes that mean success. */
      success?: (string | number)[];
      /** Where the code of an answer stands: names and paths, in place of `code` and `errorcode`. */
      codeFrom?: string[];
      /** Further names of the same host. */
      aliases?: string[];
      /** Exact paths or patterns to action codes. */
      paths?: Record<string, string | number>;
    }
  >;
}

/** Names of callers as an object, in the shape of the callers file. */
export interface CallersOption {
  /** User-Agents, exact or with `*` for any characters, to names. */
  callers: Record<string, string | number>;
  /** What becomes of any other User-Agent; `kept`: it is the name. Default `kept`. */
  rest?: 'kept' | 'other';
}

/** Patterns of paths as an object, in the shape of the paths file. */
export interface PathsOption {
  /** Whole paths and patterns: `:name` for one segment, `*` at the end for the rest. */
  paths: string[];
}

/**
 * Options of `start()`; each wins over its variable in the environment, and that over the default.
 */
export interface StartOptions {
  /** System code: one ASCII letter and nine digits. Variable SYSCODE. Required, here or there. */
  syscode?: string;
  /** Port of the scrape; 0 takes any free one. Variable CHANNEL_EXPORTER_PORT. Default 9166. */
  port?: number;
  /** Address to listen on. Variable CHANNEL_EXPORTER_HOST. Default: all interfaces. */
  host?: string;
  /** Path of a web configuration file: TLS and basic authentication at the port of the scrape. Variable CHANNEL_EXPORTER_WEB_CONFIG_FILE. Default: none. */
  webConfigFile?: string;
  /** Path of the partner file, or the directory itself. Variable CHANNEL_EXPORTER_PARTNERS. Default: none. */
  partners?: string | PartnerDirectoryOption;
  /** Whether the shipped partner table is in force below it. Variable CHANNEL_EXPORTER_PARTNERS_PRESET. Default true. */
  partnersPreset?: boolean;
  /** Path of the callers file, or what it would hold. Variable CHANNEL_EXPORTER_CALLERS. Default: none. */
  callers?: string | CallersOption;
  /** Business codes of inbound requests that mean success. Variable CHANNEL_EXPORTER_SUCCESS_CODES. Default: none. */
  successCodes?: readonly (string | number)[];
  /** Bucket boundaries in milliseconds, ascending. Variable CHANNEL_EXPORTER_INNER_METRICS_BUCKETS. */
  innerMetricsBuckets?: readonly number[];
  /** Bucket boundaries in milliseconds, ascending. Variable CHANNEL_EXPORTER_PARTNER_HTTP_METRICS_BUCKETS. */
  partnerHttpMetricsBuckets?: readonly number[];
  /** Bucket boundaries in milliseconds, ascending. Variable CHANNEL_EXPORTER_CONSUMER_METRICS_BUCKETS. */
  consumerMetricsBuckets?: readonly number[];
  /** Inbound paths that are not recorded. Variable CHANNEL_EXPORTER_IGNORE_PATHS. Default /healthcheck and /metrics. */
  ignorePaths?: readonly string[];
  /** Whether what looks like a value is replaced in paths that no framework reports a route for. Variable CHANNEL_EXPORTER_GENERALIZE_PATHS. Default false. */
  generalizePaths?: boolean;
  /** Path of the paths file, or what it would hold. Variable CHANNEL_EXPORTER_PATHS. Default: none. */
  paths?: string | PathsOption;
  /** Bytes of a body that are read for codes; 0: none. Variable CHANNEL_EXPORTER_BODY_LIMIT. Default 65,536. */
  bodyLimit?: number;
  /** Names and paths of the interface number of a request, after `method_code`, such as `['operationName', 'method']`. Variable CHANNEL_EXPORTER_METHOD_CODE_FROM. Default: none. */
  methodCodeFrom?: readonly string[];
  /** Names and paths of the code of an answer, such as `['errors[0].extensions.code', 'error.code', 'code']`. Variable CHANNEL_EXPORTER_CODE_FROM. Default `['code']`. */
  codeFrom?: readonly string[];
  /** How deep in an answer its code may stand, for all paths or by path pattern; 1: keys of the outermost object. Variable CHANNEL_EXPORTER_CODE_DEPTH. Default: at any depth. */
  codeDepth?: number | Readonly<Record<string, number>>;
  /** Labels that stay empty, in all families or by kind of measurement. Variable CHANNEL_EXPORTER_DROP_LABELS. Default: none. */
  dropLabels?: readonly string[] | Partial<Readonly<Record<MeasurementKind, readonly string[]>>>;
  /** Distinct values of each label. Variable CHANNEL_EXPORTER_LABEL_VALUES_LIMIT. Default 1,000 for route, 100 for path, 50 for code, else 200. */
  labelValuesLimit?: number | Partial<Readonly<Record<LabelName, number>>>;
  /** Series of each family. Variable CHANNEL_EXPORTER_SERIES_LIMIT. Default 10,000. */
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
  /** Whether `/` on the port of the scrape is the page for people. Variable CHANNEL_EXPORTER_PAGE. Default true. */
  page?: boolean;
  /** Whether each process's CPU time, memory, event loop and garbage collections are on the scrape. Variable CHANNEL_EXPORTER_RUNTIME_METRICS. Default true. */
  runtimeMetrics?: boolean;
  /** Whether Prometheus is shown a new series as zero once. Variable CHANNEL_EXPORTER_START_AT_ZERO. Default true. */
  startAtZero?: boolean;
  /** `_created` lines in OpenMetrics. Variable CHANNEL_EXPORTER_CREATED. Default false. */
  created?: boolean;
  /** Whether the service's name and resource attributes are on the scrape, as target_info. Variable CHANNEL_EXPORTER_TARGET_INFO. Default false. */
  targetInfo?: boolean;
  /** Views laid over ours. Variable CHANNEL_EXPORTER_VIEWS, as JSON. Default: none. */
  views?: readonly ViewOption[];
}

/** Options of `channelSpanHooks()`, with the meaning, variables and defaults that they have in `start()`. */
export type SpanHooksOptions = Pick<
  StartOptions,
  'partners' | 'partnersPreset' | 'callers' | 'bodyLimit' | 'methodCodeFrom' | 'codeFrom' | 'codeDepth'
>;

/** A running exporter. */
export interface Exporter {
  /** Address of the scrape, such as `http://localhost:9166/metrics`; empty when there is no port, or the exporter is switched off. */
  readonly url: string;
  /** Stops observing and serving. Counts end with it; a later `start()` begins from zero. Does not reject. */
  shutdown(): Promise<void>;
}

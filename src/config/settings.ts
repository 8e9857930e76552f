/** Every setting, described once: the parser, the documentation and the tests read this table. */
import { ANY_DEPTH, type CodeDepths } from '../business-code/code-depth';
import type { DropLabels } from '../metrics/measurement';
import type { ApplicationViews } from '../views/application-views';
import { DEFAULT_BOUNDARIES_MS } from '../views/boundaries';
import { parseCodeDepth, parseCodeFrom, parseSuccessCodes } from './code-parsers';
import {
  BOUNDARIES_TEXT,
  DEFAULT_BODY_LIMIT_BYTES,
  DEFAULT_CODE_VALUES,
  DEFAULT_ENV,
  DEFAULT_IGNORE_PATHS,
  DEFAULT_LABEL_VALUES,
  DEFAULT_PATH_VALUES,
  DEFAULT_PORT,
  DEFAULT_ROUTE_VALUES,
  DEFAULT_SERIES,
} from './defaults';
import { type LabelValueLimits, labelLimits, NO_DROPS, parseDropLabels, parseLabelValuesLimit } from './label-parsers';
import type { Parsed } from './parsed';
import {
  parseAppMetrics,
  parseBodyLimit,
  parseBuckets,
  parseCallersSetting,
  parseEnv,
  parseHost,
  parseIgnorePaths,
  parsePartners,
  parsePathsSetting,
  parsePort,
  parseSeriesLimit,
  parseSwitch,
  parseSyscodeSetting,
  parseWebConfigFile,
} from './parsers';
import { parseViews } from './views';

/** The value that each setting resolves to. */
export interface SettingValues {
  /** System code, upper case: one letter and nine digits. */
  syscode: string;
  /** Port of the scrape, 0 to 65535; 0 takes any free one. */
  port: number;
  /** Address or host name to listen on; undefined: all interfaces. */
  host: string | undefined;
  /** Path of the file that says how the port of the scrape is protected; undefined: it is not. */
  webConfigFile: string | undefined;
  /** Path of the partner file, or the directory itself; undefined: none. */
  partners: string | object | undefined;
  partnersPreset: boolean;
  /** Path of the callers file, or what it would hold; undefined: none. */
  callers: string | object | undefined;
  /** Business codes of inbound requests that mean success. */
  successCodes: readonly string[];
  /** Milliseconds, ascending. */
  innerMetricsBuckets: readonly number[];
  partnerHttpMetricsBuckets: readonly number[];
  consumerMetricsBuckets: readonly number[];
  /** Decoded paths of inbound requests that are not recorded. */
  ignorePaths: readonly string[];
  /** Whether what looks like a value is replaced in paths that no framework reports a route for. */
  generalizePaths: boolean;
  /** Path of the paths file, or what it would hold; undefined: none. */
  paths: string | object | undefined;
  /** Bytes of a body that are read for codes, after decompression; 0: bodies are not read. */
  bodyLimit: number;
  /** Names and paths of the interface number of a request, after `method_code`; undefined: there are no others. */
  methodCodeFrom: readonly string[] | undefined;
  /** Names and paths of the code of an answer to an inbound request; undefined: `code`. */
  codeFrom: readonly string[] | undefined;
  /** How deep in an answer its code may stand, by path. */
  codeDepth: CodeDepths;
  /** Labels that stay empty, by kind of measurement. */
  dropLabels: DropLabels;
  labelValuesLimit: LabelValueLimits;
  /** Series of each family. */
  seriesLimit: number;
  /** The label of monitored functions. */
  env: string;
  /** Whether inbound requests are also counted under the names of Flask exporters. */
  flaskMetrics: boolean;
  /** Path under which the application's own port answers the scrape; undefined: it does not. */
  appMetrics: string | undefined;
  /** Whether our provider is the global one of the OpenTelemetry API. */
  global: boolean;
  promClient: boolean;
  /** Whether `/` is answered with the page for people. */
  page: boolean;
  /** Whether what processes say of themselves is on the scrape. */
  runtimeMetrics: boolean;
  /** Whether a scraper that will come again is shown a new series as zero first. */
  startAtZero: boolean;
  /** Whether OpenMetrics says when each series began. */
  created: boolean;
  /** Whether the attributes of the service are on the scrape. */
  targetInfo: boolean;
  /** The application's, laid over ours. */
  views: ApplicationViews | undefined;
}

export type SettingName = keyof SettingValues;

export interface Setting<Name extends SettingName> {
  readonly option: Name;
  readonly variable: string;
  /** Standard variables that are read after ours. */
  readonly alsoVariables?: readonly string[];
  readonly type: string;
  /** As it stands in the documentation; undefined: there is none, the setting is required. */
  readonly defaultText: string | undefined;
  readonly help: string;
  readonly defaultValue?: SettingValues[Name];
  /** @param from the option's or variable's name, for the message */
  parse(raw: unknown, from: string): Parsed<SettingValues[Name]>;
}

/** A row of the table, of whatever setting. */
export type AnySetting = { [Name in SettingName]: Setting<Name> }[SettingName];

function bucketsSetting<Name extends 'innerMetricsBuckets' | 'partnerHttpMetricsBuckets' | 'consumerMetricsBuckets'>(
  option: Name,
  variable: string,
  what: string,
): Setting<Name> {
  return {
    option,
    variable,
    type: 'ascending numbers, milliseconds',
    defaultText: BOUNDARIES_TEXT,
    help: `Bucket boundaries of ${what}: inclusive upper bounds, +Inf is implied.`,
    defaultValue: DEFAULT_BOUNDARIES_MS as SettingValues[Name],
    parse: (raw, from) => parseBuckets(raw, from) as Parsed<SettingValues[Name]>,
  };
}

/** The table. Its order is the order of the documentation and of reported problems. */
export const SETTINGS: readonly AnySetting[] = [
  {
    option: 'syscode',
    variable: 'SYSCODE',
    type: 'letter and 9 digits',
    defaultText: undefined,
    help: 'System code of this service. Its first four characters are the label appid, the whole is application.',
    parse: parseSyscodeSetting,
  },
  {
    option: 'port',
    variable: 'CHANNEL_EXPORTER_PORT',
    alsoVariables: ['OTEL_EXPORTER_PROMETHEUS_PORT'],
    type: '0 to 65535',
    defaultText: String(DEFAULT_PORT),
    help: 'Port of the scrape; 0 takes any free one and says which.',
    defaultValue: DEFAULT_PORT,
    parse: parsePort,
  },
  {
    option: 'host',
    variable: 'CHANNEL_EXPORTER_HOST',
    alsoVariables: ['OTEL_EXPORTER_PROMETHEUS_HOST'],
    type: 'address or host name',
    defaultText: 'all interfaces',
    help: 'Address to listen on, such as 127.0.0.1.',
    defaultValue: undefined,
    parse: parseHost,
  },
  {
    option: 'webConfigFile',
    variable: 'CHANNEL_EXPORTER_WEB_CONFIG_FILE',
    type: 'path of a YAML file',
    defaultText: 'none',
    help: "Web configuration file of Prometheus' exporters: TLS and basic authentication at the port of the scrape; reread when it changes.",
    defaultValue: undefined,
    parse: parseWebConfigFile,
  },
  {
    option: 'partners',
    variable: 'CHANNEL_EXPORTER_PARTNERS',
    type: 'path of a JSON or YAML file',
    defaultText: 'none',
    help: 'Partner file: hosts and paths mapped to partner and action codes; reread when it changes. As an option also the directory itself.',
    defaultValue: undefined,
    parse: parsePartners,
  },
  {
    option: 'partnersPreset',
    variable: 'CHANNEL_EXPORTER_PARTNERS_PRESET',
    type: 'on or off',
    defaultText: 'on',
    help: 'Whether the partner table of the Python package is in force below the partner file.',
    defaultValue: true,
    parse: parseSwitch,
  },
  {
    option: 'callers',
    variable: 'CHANNEL_EXPORTER_CALLERS',
    type: 'path of a JSON or YAML file',
    defaultText: 'none',
    help: "Callers file: User-Agents and patterns mapped to callers' names, for f_code; reread when it changes. As an option also what it would hold.",
    defaultValue: undefined,
    parse: parseCallersSetting,
  },
  {
    option: 'successCodes',
    variable: 'CHANNEL_EXPORTER_SUCCESS_CODES',
    type: 'codes, separated by commas',
    defaultText: 'none',
    help: 'Business codes of inbound requests that mean success, for channel_business_code_info. Those of partners stand in the partner file.',
    defaultValue: [],
    parse: parseSuccessCodes,
  },
  bucketsSetting('innerMetricsBuckets', 'CHANNEL_EXPORTER_INNER_METRICS_BUCKETS', 'inbound requests'),
  bucketsSetting('partnerHttpMetricsBuckets', 'CHANNEL_EXPORTER_PARTNER_HTTP_METRICS_BUCKETS', 'partner calls'),
  bucketsSetting('consumerMetricsBuckets', 'CHANNEL_EXPORTER_CONSUMER_METRICS_BUCKETS', 'consumed messages'),
  {
    option: 'ignorePaths',
    variable: 'CHANNEL_EXPORTER_IGNORE_PATHS',
    type: 'paths, separated by commas',
    defaultText: DEFAULT_IGNORE_PATHS.join(','),
    help: 'Inbound paths that are not recorded: exact, case-sensitive, compared after percent-decoding. Replaces the default; [] records everything.',
    defaultValue: DEFAULT_IGNORE_PATHS,
    parse: parseIgnorePaths,
  },
  {
    option: 'generalizePaths',
    variable: 'CHANNEL_EXPORTER_GENERALIZE_PATHS',
    type: 'on or off',
    defaultText: 'off',
    help: 'Whether paths that no framework reports a route for have :id, :uuid, :hash and the like in place of what looks like a value.',
    defaultValue: false,
    parse: parseSwitch,
  },
  {
    option: 'paths',
    variable: 'CHANNEL_EXPORTER_PATHS',
    type: 'path of a JSON or YAML file',
    defaultText: 'none',
    help: 'Paths file: patterns, such as /orders/:id or /files/*, that stand in the label for paths that no framework reports a route for; reread when it changes. As an option also what it would hold.',
    defaultValue: undefined,
    parse: parsePathsSetting,
  },
  {
    option: 'bodyLimit',
    variable: 'CHANNEL_EXPORTER_BODY_LIMIT',
    type: 'bytes',
    defaultText: String(DEFAULT_BODY_LIMIT_BYTES),
    help: 'How much of a body is read for codes, after decompression; 0 reads none.',
    defaultValue: DEFAULT_BODY_LIMIT_BYTES,
    parse: parseBodyLimit,
  },
  {
    option: 'methodCodeFrom',
    variable: 'CHANNEL_EXPORTER_METHOD_CODE_FROM',
    type: 'names or paths, separated by commas',
    defaultText: 'none',
    help: 'Where else the interface number of a request stands, for method_code, in this order: operationName,method for GraphQL and JSON-RPC.',
    defaultValue: undefined,
    parse: parseCodeFrom,
  },
  {
    option: 'codeFrom',
    variable: 'CHANNEL_EXPORTER_CODE_FROM',
    type: 'names or paths, separated by commas',
    defaultText: 'code',
    help: 'Where the code of an answer to an inbound request stands, in this order: errors[0].extensions.code,error.code,code. Partners have codeFrom in the partner file.',
    defaultValue: undefined,
    parse: parseCodeFrom,
  },
  {
    option: 'codeDepth',
    variable: 'CHANNEL_EXPORTER_CODE_DEPTH',
    type: 'depth, or path=depth pairs',
    defaultText: 'all',
    help: 'How deep in an answer to an inbound request its code may stand: 1 reads only keys of the outermost object. /articles/*=1 is for paths, as in the label, that match; several are separated by commas.',
    defaultValue: { otherwise: ANY_DEPTH, patterns: [] },
    parse: parseCodeDepth,
  },
  {
    option: 'dropLabels',
    variable: 'CHANNEL_EXPORTER_DROP_LABELS',
    type: 'labels, or family=labels separated by semicolons',
    defaultText: 'none',
    help: 'Labels that stay empty, so that what they would tell apart is added up: f_code, or inner=f_code,method_code;partner=code.',
    defaultValue: NO_DROPS,
    parse: parseDropLabels,
  },
  {
    option: 'labelValuesLimit',
    variable: 'CHANNEL_EXPORTER_LABEL_VALUES_LIMIT',
    type: 'number, or label=number pairs',
    defaultText: `route=${DEFAULT_ROUTE_VALUES}, path=${DEFAULT_PATH_VALUES}, code=${DEFAULT_CODE_VALUES}, any other label ${DEFAULT_LABEL_VALUES}`,
    help: 'Distinct values that a label may take in the life of the process; any further one is recorded as other. route: templates of a framework; path: all other paths; code: for each path.',
    defaultValue: labelLimits({}),
    parse: parseLabelValuesLimit,
  },
  {
    option: 'seriesLimit',
    variable: 'CHANNEL_EXPORTER_SERIES_LIMIT',
    type: 'number',
    defaultText: String(DEFAULT_SERIES),
    help: 'Series that a family may have; what is measured under further ones is added up under other.',
    defaultValue: DEFAULT_SERIES,
    parse: parseSeriesLimit,
  },
  {
    option: 'env',
    variable: 'ENV',
    type: 'text',
    defaultText: DEFAULT_ENV,
    help: 'The label env of monitored functions.',
    defaultValue: DEFAULT_ENV,
    parse: parseEnv,
  },
  {
    option: 'flaskMetrics',
    variable: 'CHANNEL_EXPORTER_FLASK_METRICS',
    type: 'on or off',
    defaultText: 'off',
    help: 'Whether inbound requests are also counted as flask_request_latency_seconds and flask_request_count_total.',
    defaultValue: false,
    parse: parseSwitch,
  },
  {
    option: 'appMetrics',
    variable: 'CHANNEL_EXPORTER_APP_METRICS',
    type: 'on, off or a path',
    defaultText: 'off',
    help: "Whether the application's own port answers the scrape too, where it would answer 404: on for /metrics, or the path.",
    defaultValue: undefined,
    parse: parseAppMetrics,
  },
  {
    option: 'global',
    variable: 'CHANNEL_EXPORTER_GLOBAL',
    type: 'on or off',
    defaultText: 'off',
    help: "Whether our meter provider is registered as the global one, through the application's own copy of the OpenTelemetry API.",
    defaultValue: false,
    parse: parseSwitch,
  },
  {
    option: 'promClient',
    variable: 'CHANNEL_EXPORTER_PROM_CLIENT',
    type: 'on or off',
    defaultText: 'off',
    help: 'Whether what the application registered in prom-client or @prometheus-io/client is on the scrape too.',
    defaultValue: false,
    parse: parseSwitch,
  },
  {
    option: 'page',
    variable: 'CHANNEL_EXPORTER_PAGE',
    type: 'on or off',
    defaultText: 'on',
    help: 'Whether / on the port of the scrape is a page that shows people what is measured, and /metrics?details has what it needs.',
    defaultValue: true,
    parse: parseSwitch,
  },
  {
    option: 'runtimeMetrics',
    variable: 'CHANNEL_EXPORTER_RUNTIME_METRICS',
    type: 'on or off',
    defaultText: 'on',
    help: "Whether the scrape has each process's CPU time, memory, descriptors, event loop and garbage collections: process_* and nodejs_*.",
    defaultValue: true,
    parse: parseSwitch,
  },
  {
    option: 'startAtZero',
    variable: 'CHANNEL_EXPORTER_START_AT_ZERO',
    type: 'on or off',
    defaultText: 'on',
    help: 'Whether Prometheus is shown a new series as zero once, so that rate() and increase() see its first occurrence.',
    defaultValue: true,
    parse: parseSwitch,
  },
  {
    option: 'created',
    variable: 'CHANNEL_EXPORTER_CREATED',
    type: 'on or off',
    defaultText: 'off',
    help: 'Whether a scrape in OpenMetrics has a `_created` line for each counter and histogram: when it began.',
    defaultValue: false,
    parse: parseSwitch,
  },
  {
    option: 'targetInfo',
    variable: 'CHANNEL_EXPORTER_TARGET_INFO',
    type: 'on or off',
    defaultText: 'off',
    help: "Whether the service's name and resource attributes are on the scrape, as target_info.",
    defaultValue: false,
    parse: parseSwitch,
  },
  {
    option: 'views',
    variable: 'CHANNEL_EXPORTER_VIEWS',
    type: "list of the SDK's Views, JSON",
    defaultText: 'none',
    help: 'Views of OpenTelemetry laid over ours: other names, descriptions, boundaries and limits of families, and families dropped.',
    defaultValue: undefined,
    parse: parseViews,
  },
];

/** Of every variable but SYSCODE and ENV. */
export const PREFIX = 'CHANNEL_EXPORTER_';

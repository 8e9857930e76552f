/**
 * The composition root: settings, then Views and reader, then sources, then the server.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isMainThread } from 'node:worker_threads';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { type Config, offSwitch, PRESET_HOST_COUNT, resolveConfig } from './config/resolve';
import type { SettingValues } from './config/settings';
import { createInstruments } from './core/instruments';
import { type Offers, sharedState } from './core/overrides';
import { createRecorder } from './core/recorder';
import { errorText, logLine, setLogLevel, warn } from './diagnostics/log';
import { answerScrape, replyOver, requestPath } from './exporter/answer';
import { createTotalsReader, DeltaReader } from './exporter/reader';
import { createScrape, type ForeignFamilies, type Scrape } from './exporter/scrape';
import { createMetricsServer } from './exporter/server';
import { SOURCES } from './instrumentations';
import { answerOnApplication } from './instrumentations/app-metrics';
import { forgetExchange } from './instrumentations/http-inbound';
import { registerGlobally } from './own-metrics/global';
import { ownMeterProvider } from './own-metrics/meter';
import { observePromClient } from './own-metrics/prom-client';
import { openPartnerDirectory } from './partners/open';
import { type DeltaSource, Hub } from './topology/hub';
import { Member } from './topology/member';
import { Members } from './topology/members';
import { Membership } from './topology/membership';
import { withNotice } from './topology/notice';
import { applicationEnvironment, threadSettings } from './topology/role';
import { VERSION } from './version';
import { createViews, type Family, families } from './views';
import { familyNames, INSTRUMENTS, METER_NAME } from './views/metric-names';

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
    if (!shared.hasSaidOff && isMainThread) logLine('info', `${off}; nothing is measured and nothing is served`);
    shared.hasSaidOff = true;
    return { url: '', shutdown: async () => undefined };
  }
  const { config, warnings } = resolveConfig({ ...options, ...threadSettings()?.options }, env);
  for (const text of warnings) warn('CHX_VARIABLE_UNKNOWN', text, text);
  const exporter = run(config, () => {
    shared.running = undefined;
    shared.recorder = undefined;
    shared.reading = undefined;
    shared.offers = undefined;
  });
  shared.running = exporter;
  return exporter;
}

function run(config: Config, onShutdown: () => void): Exporter {
  const catalogue = families(config);
  const names = familyNames(config.syscode);
  const deltas = new DeltaReader();
  const provider = new MeterProvider({ readers: [deltas], views: createViews(catalogue) });
  const ownMetricsFailed: Offers['ownMetricsFailed'] = (source, error) => {
    instruments.errors.add(1, { source });
    warn(
      'CHX_OWN_METRICS_FAILED',
      source,
      `metrics of the application are missing, from ${source}: ${errorText(error)}`,
    );
  };
  const promClient = config.promClient ? observePromClient(ownMetricsFailed) : undefined;
  const processes = createProcesses(config, catalogue, deltas, promClient);
  let measured = (): void => undefined;
  const instruments = createInstruments(provider.getMeter(METER_NAME, VERSION));
  const noticed = withNotice(instruments, () => measured());
  const recorder = createRecorder(noticed, {
    syscode: config.syscode,
    families: {
      inner: names[INSTRUMENTS.inner],
      partner: names[INSTRUMENTS.partner],
      consumer: names[INSTRUMENTS.consumer],
      function: names[INSTRUMENTS.calls],
    },
    labelValuesLimit: config.labelValuesLimit,
    env: config.env,
    flaskMetrics: config.flaskMetrics,
  });

  const { partners, endWatch } = openPartnerDirectory(config);

  const sources = SOURCES.filter(({ name }) => config.isInstrumentationEnabled(name));
  const enabled = sources.map(({ create }) => create());
  const context = {
    recorder,
    partners,
    ignorePaths: new Set(config.ignorePaths),
    bodyLimit: config.bodyLimit,
    isOwnServer: processes.server.owns,
  };
  sharedState().reading = context;
  for (const source of enabled) source.enable(context);
  const undo = [
    ...(config.appMetrics === undefined
      ? []
      : [answerOnApplication(config.appMetrics, processes.scrape, processes.server.owns)]),
    ...(config.global ? [registerGlobally(ownMeterProvider)] : []),
  ];
  const shared = sharedState();
  shared.recorder = recorder;
  shared.offers = {
    meterProvider: provider,
    answer: (...exchange) => answerScraper(processes.scrape, ...exchange),
    ownMetricsFailed,
  };
  for (const bind of shared.onStart) bind();

  // what instruments are told while they are set up is no measurement
  measured = () => processes.membership.measured();
  processes.membership.begin();
  const { server } = processes;
  const observed = [...new Set(sources.map(({ name }) => name))].join(', ') || 'nothing';
  const line = `${VERSION}, ${config.syscode}, ${server.url}; observes ${observed}; ${hostsText(config)}`;
  // its process has said it
  if (isMainThread) logLine('info', line);

  let ending: Promise<void> | undefined;
  return {
    get url() {
      return server.url;
    },
    shutdown() {
      ending ??= (async () => {
        onShutdown();
        for (const source of enabled) source.disable();
        for (const end of undo) end();
        promClient?.disable();
        endWatch();
        await processes.membership.end();
        await provider.shutdown().catch(() => undefined);
      })();
      return ending;
    },
  };
}

/** A request to the application's own server that its handler passed on to us. */
function answerScraper(scrape: Scrape, request: IncomingMessage, response: ServerResponse): void {
  forgetExchange(response);
  answerScrape(request.method, requestPath(request), scrape, replyOver(response));
}

/** This process among the others of its service; it may turn out to be their hub or a member. */
function createProcesses(
  config: Config,
  catalogue: readonly Family[],
  deltas: DeltaSource,
  promClient: ForeignFamilies | undefined,
) {
  const members = new Members(config.syscode, (added) => hub.addDeltas(added));
  const hub = new Hub(catalogue, deltas, { gather: () => members.gather(), state: () => members.state() });
  const scrape = createScrape(createTotalsReader(hub), promClient);
  const server = createMetricsServer(scrape, config);
  const member = new Member(config.syscode, deltas, () => membership.lost());
  const membership: Membership = new Membership({
    syscode: config.syscode,
    address: { port: config.port, host: config.host },
    isThread: !isMainThread,
    server,
    members,
    member,
    addOwn: (own) => hub.addDeltas(own),
  });
  // what a member measures goes to the hub: a scrape of its own would take it from there
  const ownScrape: Scrape = async () => {
    if (!(await membership.isServedElsewhere())) return scrape();
    throw new Error(`another process of this service serves its metrics, on port ${config.port}`);
  };
  return { server, membership, scrape: ownScrape };
}

function hostsText(config: Config): string {
  const preset = config.partnersPreset ? ` and ${PRESET_HOST_COUNT} of the preset` : '';
  return `partner hosts: ${config.partnerHosts.length} of its own${preset}`;
}

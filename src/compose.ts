/**
 * The composition root: settings, then Views and reader, then sources, then the server.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isMainThread } from 'node:worker_threads';
import { type Config, PRESET_HOST_COUNT, resolveConfig } from './config/resolve';
import { errorText, logLine, warn } from './diagnostics/log';
import { answerScrape, replyOver, requestPath } from './exporter/http/answer';
import { answerOnApplication } from './exporter/http/application-port';
import { createMetricsServer } from './exporter/http/server';
import { createApplicationMeters, createTotalsReader } from './exporter/reader';
import { createScrape, type ForeignFamilies, type Scrape } from './exporter/scrape';
import { createSource, SOURCES } from './instrumentations';
import { forgetExchange } from './instrumentations/inbound/http1';
import { createInstruments, familyLabels, takeDeltas } from './metrics/instruments';
import { createRecorder } from './metrics/recorder';
import { type DeltaSource, ServiceTotals } from './metrics/totals';
import { registerGlobally } from './own-metrics/global';
import { ownMeterProvider } from './own-metrics/meter';
import { observePromClient } from './own-metrics/prom-client';
import { openPartnerDirectory } from './partners/open';
import { Election } from './processes/election';
import { Hub } from './processes/hub';
import { Member } from './processes/member';
import type { FamilyLabels } from './processes/received-deltas';
import { threadSettings } from './processes/thread-settings';
import { type ExporterServices, sharedState } from './shared-state';
import type { Exporter, StartOptions } from './start';
import { VERSION } from './version';
import { createViews, type Family, families } from './views';
import { familyNames, INSTRUMENTS } from './views/metric-names';

/**
 * Puts the exporter together from its options and the environment, and sets it going.
 * @throws {ConfigError} listing every problem of the settings and the partner file; nothing is started then
 */
export function run(options: StartOptions, env: NodeJS.ProcessEnv): Exporter {
  const { config, warnings } = resolveConfig({ ...options, ...threadSettings()?.options }, env);
  for (const text of warnings) warn('CHX_VARIABLE_UNKNOWN', text, text);
  return compose(config, () => {
    const shared = sharedState();
    shared.running = undefined;
    shared.recorder = undefined;
    shared.reading = undefined;
    shared.services = undefined;
  });
}

function compose(config: Config, onShutdown: () => void): Exporter {
  const catalogue = families(config);
  const names = familyNames(config.syscode);
  const views = createViews(catalogue, config.seriesLimit);
  const meters = createApplicationMeters(views, config.seriesLimit);
  const ownMetricsFailed: ExporterServices['ownMetricsFailed'] = (source, error) => {
    instruments.errors.add([source], 1);
    warn(
      'CHX_OWN_METRICS_FAILED',
      source,
      `metrics of the application are missing, from ${source}: ${errorText(error)}`,
    );
  };
  const promClient = config.promClient ? observePromClient(ownMetricsFailed) : undefined;
  const onSeriesOverflow = (family: string, limit: number) => {
    instruments.seriesOverflow.add([family], 1);
    const text = `${family} has had its ${limit} series; what is measured under further ones is added up under other`;
    warn('CHX_SERIES_OVERFLOW', family, text);
  };
  const processes = createProcesses(
    config,
    catalogue,
    {
      async collect() {
        // whatever fails there, ours stay where they are
        const application = await meters.collect();
        return { deltas: takeDeltas(instruments), ...application };
      },
      takeDeltas: () => takeDeltas(instruments),
    },
    promClient,
    onSeriesOverflow,
    () => meters.isInUse,
    () => familyLabels(instruments),
  );
  let measured = (): void => undefined;
  const instruments = createInstruments(views, config, {
    onOverflow(family, label, limit) {
      instruments.labelOverflow.add([family, label], 1);
      const text = `${family}: label ${label} has had its ${limit} distinct values; further ones are recorded as other`;
      warn('CHX_LABEL_OVERFLOW', `${family} ${label}`, text);
    },
    onSeriesOverflow,
    onChange: () => measured(),
  });
  const recorder = createRecorder(instruments, {
    families: {
      inner: names[INSTRUMENTS.inner],
      partner: names[INSTRUMENTS.partner],
      consumer: names[INSTRUMENTS.consumer],
      function: names[INSTRUMENTS.calls],
    },
    flaskMetrics: config.flaskMetrics,
  });

  const { partners, endWatch } = openPartnerDirectory(config);

  const sources = SOURCES.filter(({ name }) => config.isInstrumentationEnabled(name));
  const enabled = sources.map(createSource);
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
  shared.services = {
    get meterProvider() {
      return meters.provider;
    },
    answer: (...exchange) => answerScraper(processes.scrape, ...exchange),
    ownMetricsFailed,
  };
  for (const bind of shared.onStart) bind();

  // what instruments are told while they are set up is no measurement
  measured = () => processes.election.measured();
  processes.election.begin();
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
        await processes.election.end();
        await meters.shutdown().catch(() => undefined);
      })();
      return ending;
    },
  };
}

/** A request to the application's own server that its handler passed on to us. */
function answerScraper(scrape: Scrape, request: IncomingMessage, response: ServerResponse): void {
  forgetExchange(response);
  answerScrape(request, requestPath(request), scrape, replyOver(response));
}

/** This process among the others of its service; it may turn out to be their hub or a member. */
function createProcesses(
  config: Config,
  catalogue: readonly Family[],
  own: DeltaSource,
  promClient: ForeignFamilies | undefined,
  onSeriesOverflow: (family: string, limit: number) => void,
  isSdkInUse: () => boolean,
  labels: () => FamilyLabels,
) {
  const hub = new Hub(config.syscode, labels, (added) => totals.addDeltas(added));
  const totals = new ServiceTotals(catalogue, own, {
    seriesLimit: config.seriesLimit,
    onSeriesOverflow,
    gather: () => hub.gather(),
    state: () => hub.state(),
  });
  const scrape = createScrape(createTotalsReader(totals, isSdkInUse), promClient);
  const server = createMetricsServer(scrape, config);
  const member = new Member(config.syscode, own, () => election.hubLost());
  const election: Election = new Election({
    syscode: config.syscode,
    address: { port: config.port, host: config.host },
    isThread: !isMainThread,
    server,
    hub,
    member,
    addOwn: (deltas) => totals.addDeltas(deltas),
  });
  // what a member measures goes to the hub: a scrape of its own would take it from there
  const ownScrape: Scrape = async (form) => {
    if (!(await election.isServedElsewhere())) return scrape(form);
    throw new Error(`another process of this service serves its metrics, on port ${config.port}`);
  };
  return { server, election, scrape: ownScrape };
}

function hostsText(config: Config): string {
  const preset = config.partnersPreset ? ` and ${PRESET_HOST_COUNT} of the preset` : '';
  return `partner hosts: ${config.partnerHosts.length} of its own${preset}`;
}

/**
 * The composition root, from top to bottom: settings, the pipeline of this process, the totals of the service and their
 * scrape, this process among the others, the sources. Each part is created from those above it; what a part reports to
 * one below it goes through a Signal.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isMainThread } from 'node:worker_threads';
import { codeDepth } from './business-code/code-depth';
import { setUnreadBodyListener, UNREAD_REASONS } from './business-code/unread-bodies';
import { openCallers } from './callers/open';
import { type Config, PRESET_HOST_COUNT, resolveConfig } from './config/resolve';
import { HeldWarnings } from './diagnostics/held-warnings';
import { errorText, logLine, warn } from './diagnostics/log';
import { announceObserved, endAnnouncing } from './diagnostics/observed';
import { Beginnings } from './exporter/beginnings';
import { answerScrape, replyOver, requestPath } from './exporter/http/answer';
import { answerOnApplication } from './exporter/http/application-port';
import { createMetricsServer, type MetricsServer } from './exporter/http/server';
import { createTotalsReader } from './exporter/reader';
import { withRests } from './exporter/rests';
import { createScrape, type Scrape } from './exporter/scrape';
import { createSource, effectiveSources, SOURCES } from './instrumentations';
import { forgetExchange } from './instrumentations/inbound/http1';
import { createInfo, type Info } from './metrics/info-samples';
import { createPipeline, type Pipeline } from './metrics/pipeline';
import { type DeltaSource, ServiceTotals } from './metrics/totals';
import type { Exporter, StartOptions } from './options';
import { registerGlobally } from './own-metrics/global';
import { ownMeterProvider } from './own-metrics/meter';
import { observePromClient } from './own-metrics/prom-client';
import { openPartnerDirectory } from './partners/open';
import { Election } from './processes/election';
import { Hub } from './processes/hub';
import { Member } from './processes/member';
import { threadSettings } from './processes/thread-settings';
import { Signal } from './runtime/signal';
import { type ExporterServices, sharedState } from './shared-state';
import { VERSION } from './version';
import { boundariesNote } from './views/boundaries-note';

/**
 * Puts the exporter together from its options and the environment, and starts it.
 * @throws {ConfigError} listing every problem of the settings and of the files that they name; nothing is started then
 */
export function startExporter(options: StartOptions, env: NodeJS.ProcessEnv): Exporter {
  const names = SOURCES.map(({ name }) => name);
  const { config, warnings } = resolveConfig(options, env, names, threadSettings()?.options);
  const held = new HeldWarnings();
  for (const { code, text } of warnings) held.add(code, text, text);
  return compose(config, held);
}

/** @param held what is wrong with the settings, for the log of the process that serves the scrape */
function compose(config: Config, held: HeldWarnings): Exporter {
  const shared = sharedState();
  const pipeline = createPipeline(config, () => shared.hasMonitored);
  const ownMetricsFailed: ExporterServices['ownMetricsFailed'] = (source, error) => {
    pipeline.selfMetrics.errors.add([source], 1);
    const text = `metrics of the application are missing, from ${source}: ${errorText(error)}`;
    warn('CHX_OWN_METRICS_FAILED', source, text);
  };
  const promClient = config.promClient ? observePromClient(ownMetricsFailed) : undefined;

  const { collector } = pipeline;
  const totals = new ServiceTotals(pipeline.catalogue, collector, {
    seriesLimit: config.seriesLimit,
    rooms: pipeline.rooms,
  });
  const reader = createTotalsReader(totals);
  const scrape = withRests(
    createScrape(reader, {
      foreign: promClient,
      beginnings: config.startAtZero ? new Beginnings() : undefined,
      created: config.created,
    }),
  );
  const server = createMetricsServer(scrape, config);

  const rows = effectiveSources(config.isInstrumentationEnabled);
  const note = boundariesNote(pipeline.catalogue);
  const logStart = () => {
    logLine('info', startLine(config, server.url, announceObserved([...new Set(rows.map(({ name }) => name))])));
    if (note !== undefined) logLine('info', note);
    held.release();
  };
  const handedOver: DeltaSource = {
    collect() {
      promClient?.reportUnserved();
      return collector.collect();
    },
    take: () => collector.take(),
    takeNow: () => collector.takeNow(),
  };
  const { partners, endWatch } = openPartnerDirectory(config, (partner, reason) =>
    pipeline.selfMetrics.partnerMisses.add([partner, reason], 1),
  );
  const { callers, endWatch: endCallersWatch } = openCallers(config);
  const info = createInfo(config, pipeline.catalogue, () => partners);
  const election = joinService({ config, pipeline, source: handedOver, totals, info, server, logStart });
  const scrapeHere = scrapeUnlessMember(scrape, election, config.port);

  const context = {
    recorder: pipeline.recorder,
    partners,
    callers,
    ignorePaths: new Set(config.ignorePaths),
    bodyLimit: config.bodyLimit,
    codeDepth: codeDepth(config.codeDepth),
    isOwnServer: server.owns,
  };
  // present from the start, as all that the exporter counts of itself: zero is a value and not a gap
  for (const { name } of rows) pipeline.selfMetrics.errors.add([name], 0);
  const sources = rows.map(createSource);
  for (const each of sources) each.enable(context);

  const undo: (() => void)[] = [countUnreadBodies(pipeline)];
  if (config.appMetrics !== undefined) {
    undo.push(
      answerOnApplication(config.appMetrics, scrapeHere, { isOwnServer: server.owns, onTaken: forgetExchange }),
    );
  }
  if (config.global) {
    undo.push(registerGlobally(ownMeterProvider, (text) => held.add('CHX_GLOBAL_REFUSED', 'global', text)));
  }

  let ending: Promise<void> | undefined;
  const exporter: Exporter = {
    get url() {
      return server.url;
    },
    shutdown() {
      ending ??= (async () => {
        shared.running = undefined;
        for (const each of sources) each.disable();
        for (const end of undo) end();
        promClient?.disable();
        endAnnouncing();
        endWatch();
        endCallersWatch();
        await election.end();
        await pipeline.provider.shutdown().catch(() => undefined);
      })();
      return ending;
    },
  };
  const services: ExporterServices = {
    meterProvider: pipeline.provider,
    answer: (request, response) => answerScraper(scrapeHere, request, response),
    ownMetricsFailed,
  };
  shared.running = { exporter, recorder: pipeline.recorder, reading: context, services };
  for (const listener of shared.onStart) listener();

  // last: the zeros that are recorded while the parts are created are no measurements
  pipeline.measured.listen(() => election.measured());
  election.begin();
  return exporter;
}

/** @returns what ends it */
function countUnreadBodies({ selfMetrics: { unreadBodies } }: Pipeline): () => void {
  // present from the start: that every body was read is a value and not a gap
  for (const reason of UNREAD_REASONS) unreadBodies.add([reason], 0);
  setUnreadBodyListener((reason) => unreadBodies.add([reason], 1));
  return () => setUnreadBodyListener(undefined);
}

interface ServiceParts {
  readonly config: Config;
  readonly pipeline: Pipeline;
  /** What this process hands over as a member. */
  readonly source: DeltaSource;
  readonly totals: ServiceTotals;
  /** What is known of partners and codes without measuring. */
  readonly info: Info;
  readonly server: MetricsServer;
  readonly logStart: () => void;
}

/** This process among the others of its service; it may become their hub or a member. */
function joinService({ config, pipeline, source, totals, info, server, logStart }: ServiceParts): Election {
  const { syscode, port, host, appMetrics } = config;
  const hub = new Hub(syscode, pipeline.familyLabels, (deltas) => {
    info.received(deltas);
    return totals.addDeltas(deltas);
  });
  totals.include({ gather: () => hub.gather(), state: () => [...hub.state(), ...info.samples()] });
  const hubLost = new Signal();
  const member = new Member(syscode, source, hubLost.emit);
  const election = new Election({
    syscode,
    address: { port, host },
    applicationPath: appMetrics,
    isThread: !isMainThread,
    server,
    hub,
    member,
    addOwn: (deltas) => totals.addDeltas(deltas),
    onServing: logStart,
  });
  hubLost.listen(() => election.hubLost());
  return election;
}

/** What a member measures goes to the hub: a scrape of its own would take it from there. */
function scrapeUnlessMember(scrape: Scrape, election: Election, port: number): Scrape {
  return async (form) => {
    if (!(await election.isServedElsewhere())) return scrape(form);
    throw new Error(`another process of this service serves its metrics, on port ${port}`);
  };
}

/** Answers a request to the application's own server that its handler passed on to us. */
function answerScraper(scrape: Scrape, request: IncomingMessage, response: ServerResponse): void {
  forgetExchange(response);
  answerScrape(request, requestPath(request), scrape, replyOver(response));
}

function startLine({ syscode, partnerHosts, partnersPreset }: Config, url: string, names: readonly string[]): string {
  const observed = names.join(', ') || 'nothing yet';
  const preset = partnersPreset ? ` and ${PRESET_HOST_COUNT} of the preset` : '';
  const hosts = `partner hosts: ${partnerHosts.length} of its own${preset}`;
  return `${VERSION}, ${syscode}, ${url}; observes ${observed}; ${hosts}`;
}

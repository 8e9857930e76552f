/**
 * The composition root, from top to bottom: settings, the pipeline of this process, the totals of the service and their
 * scrape, this process among the others, the sources. Each part is created from those above it; what a part reports to
 * one below it goes through a Signal.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isMainThread } from 'node:worker_threads';
import { codeDepth } from './business-code/code-depth';
import { countUnreadBodies } from './business-code/unread-bodies';
import { openCallers } from './callers/open';
import { settingsInForce } from './config/in-force';
import { type Config, resolveConfig } from './config/resolve';
import { metricsExporters } from './config/standard-variables';
import { startLine } from './config/start-line';
import { HeldWarnings } from './diagnostics/held-warnings';
import { errorText, logLine, warn } from './diagnostics/log';
import { announceObserved, countObserved, endAnnouncing } from './diagnostics/observed';
import { Beginnings } from './exporter/beginnings';
import { createDetachedProducer } from './exporter/detached';
import { answerScrape, replyOver, requestPath } from './exporter/http/answer';
import { answerOnApplication } from './exporter/http/application-port';
import { createMetricsServer, type MetricsServer, NO_SERVER } from './exporter/http/server';
import type { PushInstance, PushKind, PushOptions } from './exporter/push';
import { createTotalsReader } from './exporter/reader';
import { withRests } from './exporter/rests';
import { createScrape, type Scrape } from './exporter/scrape';
import { scrapeOfService } from './exporter/service-scrape';
import { createSource, effectiveSources, SOURCES, watchEsModulesOf } from './instrumentations';
import { forgetExchange } from './instrumentations/inbound/http1';
import { createInfo, type Info } from './metrics/info-samples';
import { createPipeline, type Pipeline } from './metrics/pipeline';
import { ProcessReadings } from './metrics/process-readings';
import { type DeltaSource, ServiceTotals } from './metrics/totals';
import type { Exporter, StartOptions } from './options';
import { registerGlobally } from './own-metrics/global';
import { ownMeterProvider } from './own-metrics/meter';
import { observePromClient } from './own-metrics/prom-client';
import { PromTotals } from './own-metrics/prom-totals';
import { openPartnerDirectory } from './partners/open';
import { openPaths } from './paths/open';
import { Election } from './processes/election';
import { Hub } from './processes/hub';
import { Member } from './processes/member';
import { threadSettings } from './processes/thread-settings';
import { Signal } from './runtime/signal';
import { createRuntimeSource, type RuntimeSource } from './runtime-metrics/source';
import { type ExporterServices, sharedState } from './shared-state';
import { VERSION } from './version';
import { boundariesNote } from './views/boundaries-note';

const SOURCE_NAMES = SOURCES.map(({ name }) => name);

/**
 * Puts the exporter together from its options and the environment, and starts it.
 * @throws {ConfigError} listing every problem of the settings and of the files that they name; nothing is started then
 */
export function startExporter(options: StartOptions, env: NodeJS.ProcessEnv): Exporter {
  const { config, warnings } = resolveConfig(options, env, SOURCE_NAMES, threadSettings()?.options);
  const held = new HeldWarnings();
  for (const { code, text } of warnings) held.add(code, text, text);
  return compose(config, held, env);
}

/** @param held what is wrong with the settings, for the log of the process that serves the scrape */
function compose(given: Config, held: HeldWarnings, env: NodeJS.ProcessEnv): Exporter {
  const shared = sharedState();
  const exporters = metricsExporters(env);
  const pushed = exporters.filter((name): name is PushKind => name === 'otlp' || name === 'console');
  const available = pushed.length > 0 ? pushing().availableKinds(pushed) : [];
  // a thread hands over to its process; and where nothing can be pushed, metrics must go somewhere
  const hasPort = exporters.includes('prometheus') || !isMainThread || available.length === 0;
  const config = hasPort ? given : { ...given, port: 0 };
  const isExponential = available.includes('otlp') && pushing().isExponentialWanted(env);
  const pipeline = createPipeline({ ...config, isExponential }, () => shared.hasMonitored);
  const ownMetricsFailed: ExporterServices['ownMetricsFailed'] = (source, error) => {
    pipeline.selfMetrics.errors.add([source], 1);
    const text = `metrics of the application are missing, from ${source}: ${errorText(error)}`;
    warn('CHX_OWN_METRICS_FAILED', source, text);
  };
  const promTotals = new PromTotals(config.seriesLimit);
  const promClient = config.promClient ? observePromClient(promTotals, ownMetricsFailed) : undefined;

  const { collector } = pipeline;
  const processes = config.runtimeMetrics
    ? { readings: new ProcessReadings(), runtime: createRuntimeSource() }
    : undefined;
  const totals = new ServiceTotals(pipeline.catalogue, collector, {
    resource: pipeline.resource,
    seriesLimit: config.seriesLimit,
    rooms: pipeline.rooms,
    processes: processes?.readings,
  });
  const reader = createTotalsReader(totals);
  const beginnings = config.startAtZero ? new Beginnings() : undefined;
  const scrape = withRests(
    createScrape(reader, {
      foreign: promClient,
      beginnings,
      created: config.created,
      details: () => totals.details(),
    }),
  );
  const server = hasPort ? createMetricsServer(scrape, config) : NO_SERVER;

  const rows = effectiveSources((name) => config.sourceOffBy(name) === undefined);
  const note = boundariesNote(pipeline.catalogue);
  const logStart = () => {
    const observed = announceObserved([...new Set(rows.map(({ name }) => name))]);
    const where = { url: server.url, pushedBy: available };
    logLine('info', startLine(config, { version: VERSION, ...where, sources: SOURCE_NAMES, observed }));
    if (note !== undefined) logLine('info', note);
    held.release();
  };
  const handedOver: DeltaSource = {
    async collect() {
      const [errors] = await Promise.all([collector.collect(), promClient?.collectDeltas()]);
      return errors;
    },
    take: () => [...collector.take(), ...(promClient?.takeDeltas() ?? [])],
    takeNow: () => [...collector.takeNow(), ...(promClient?.takeDeltas() ?? [])],
  };
  const { partnerMisses, unknownHosts, observed } = pipeline.selfMetrics;
  const { partners, endWatch } = openPartnerDirectory(
    config,
    (partner, reason) => partnerMisses.add([partner, reason], 1),
    config.page ? (host) => unknownHosts.add([host], 1) : undefined,
  );
  const { callers, endWatch: endCallersWatch } = openCallers(config);
  const { paths, endWatch: endPathsWatch } = openPaths(config);
  const info = createInfo(
    config,
    pipeline.catalogue,
    () => partners,
    () => settingsInForce(config),
  );
  const instance: PushInstance = {};
  const { election, member } = joinService({
    config,
    pipeline,
    source: handedOver,
    processes,
    totals,
    promTotals,
    beginnings,
    info,
    instance,
    scrape,
    server,
    logStart,
  });
  const isServedElsewhere = () => election.isServedElsewhere();
  const producer = createDetachedProducer(totals, isServedElsewhere);
  const otlpProducer = isExponential ? createDetachedProducer(totals, isServedElsewhere, true) : undefined;
  const scrapeHere = scrapeOfService(scrape, { isServedElsewhere, fetchScrape: (form) => member.fetchScrape(form) });

  const context = {
    recorder: pipeline.recorder,
    partners,
    callers,
    paths,
    ignorePaths: new Set(config.ignorePaths),
    bodyLimit: config.bodyLimit,
    methodCodeFrom: config.methodCodeFrom,
    codeFrom: config.codeFrom,
    codeDepth: codeDepth(config.codeDepth),
    isOwnServer: server.owns,
  };
  // present from the start, as all that the exporter counts of itself: zero is a value and not a gap
  for (const { name } of rows) pipeline.selfMetrics.errors.add([name], 0);
  const sources = rows.map(createSource);
  for (const each of sources) each.enable(context);
  countObserved((source) => observed.add([source], 1));

  const undo = [watchEsModulesOf(rows), countUnreadBodies(pipeline.selfMetrics.unreadBodies)];
  if (config.appMetrics !== undefined) {
    undo.push(
      answerOnApplication(config.appMetrics, scrapeHere, { isOwnServer: server.owns, onTaken: forgetExchange }),
    );
  }
  if (config.global) {
    undo.push(registerGlobally(ownMeterProvider, (text) => held.add('CHX_GLOBAL_REFUSED', 'global', text)));
  }

  const endPushes = isMainThread
    ? startPushes(pushed, { producer, otlpProducer, instance, env }, held)
    : async () => undefined;

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
        endAnnouncing();
        countObserved(undefined);
        endWatch();
        endCallersWatch();
        endPathsWatch();
        await endPushes();
        processes?.runtime.end();
        await election.end();
        // what is handed over last has its registries in it
        promClient?.disable();
        await pipeline.provider.shutdown().catch(() => undefined);
      })();
      return ending;
    },
  };
  const services: ExporterServices = {
    meterProvider: pipeline.applicationMeters,
    used: () => election.used(),
    producer,
    answer: (request, response) => answerScraper(scrapeHere, request, response),
    async text() {
      const { chunks } = await scrapeHere({ format: 'text', isCompressed: false });
      return Buffer.concat(chunks).toString();
    },
    ownMetricsFailed,
  };
  shared.running = { exporter, recorder: pipeline.recorder, reading: context, services };
  for (const listener of shared.onStart) listener();

  // last: the zeros that are recorded while the parts are created are no measurements
  pipeline.measured.listen(() => election.measured());
  election.begin();
  return exporter;
}

interface ServiceParts {
  readonly config: Config;
  readonly pipeline: Pipeline;
  /** What this process hands over as a member. */
  readonly source: DeltaSource;
  /** Absent where the settings want none. */
  readonly processes: { readonly readings: ProcessReadings; readonly runtime: RuntimeSource } | undefined;
  readonly totals: ServiceTotals;
  /** What is known of partners and codes without measuring. */
  readonly info: Info;
  /** Left to the next hub with the totals that are pushed under it. */
  readonly instance: PushInstance;
  readonly promTotals: PromTotals;
  /** Absent where every series is true at once to everybody. */
  readonly beginnings: Beginnings | undefined;
  readonly scrape: Scrape;
  readonly server: MetricsServer;
  readonly logStart: () => void;
}

/** This process among the others of its service; it may become their hub or a member. */
function joinService(parts: ServiceParts) {
  const { config, pipeline, source, processes, totals, promTotals, beginnings, info, instance } = parts;
  const { scrape, server, logStart } = parts;
  const { syscode, port, host, appMetrics } = config;
  const hub = new Hub(syscode, pipeline.familyLabels, scrape, {
    add(deltas, from) {
      info.received(deltas);
      const library = deltas.filter((delta) => delta.library !== undefined);
      const own = deltas.filter((delta) => delta.library === undefined);
      return [...totals.addDeltas(own), ...promTotals.add(library, from)];
    },
    read: (from, pid, reading) => processes?.readings.received(from, pid, reading),
    left(from) {
      processes?.readings.left(from);
      promTotals.leave(from);
    },
    leave: () => ({
      mark: totals.mark(),
      scrapers: beginnings?.leave() ?? [],
      totals: totals.leave(),
      instance: instance.id,
    }),
    inherit(left) {
      const isFresh = totals.isFresh;
      if (isFresh) {
        totals.inherit(left.totals, left.mark);
        beginnings?.inherit(left);
        instance.id = left.instance ?? instance.id;
      }
      return isFresh;
    },
  });
  promTotals.hasMembers = () => hub.hasMembers;
  const readOwn = async () => {
    const reading = await processes?.runtime.read();
    if (reading !== undefined) processes?.readings.readOwn(reading);
  };
  totals.include({
    async gather() {
      const [late] = await Promise.all([hub.gather(), readOwn()]);
      return late;
    },
    begun: () => hub.begun,
    state: () => [...hub.state(), ...info.samples()],
    details: () => info.details(),
  });
  const readForHub = async () => {
    processes?.readings.severalProcesses();
    return processes?.runtime.read();
  };
  const hubLost = new Signal();
  const member = new Member(syscode, source, hubLost.emit, readForHub);
  const election = new Election({
    syscode,
    address: { port, host },
    applicationPath: appMetrics,
    isThread: !isMainThread,
    server,
    hub,
    member,
    // the registries of this process are read themselves from now on
    addOwn: (deltas) => totals.addDeltas(deltas.filter(({ library }) => library === undefined)),
    onServing: logStart,
  });
  hubLost.listen(() => election.hubLost());
  return { election, member };
}

/** Answers a request to the application's own server that its handler passed on to us. */
function answerScraper(scrape: Scrape, request: IncomingMessage, response: ServerResponse): void {
  forgetExchange(response);
  answerScrape(request, requestPath(request), scrape, replyOver(response));
}

/** Loaded where something is pushed. */
function pushing(): typeof import('./exporter/push') {
  return require('./exporter/push');
}

function startPushes(
  kinds: readonly PushKind[],
  options: Pick<PushOptions, 'producer' | 'otlpProducer' | 'instance' | 'env'>,
  held: HeldWarnings,
): () => Promise<void> {
  if (kinds.length === 0) return async () => undefined;
  return pushing().startPushes({ ...options, kinds, onFault: (code, text) => held.add(code, text, text) });
}

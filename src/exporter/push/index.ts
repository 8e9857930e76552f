/**
 * Pushes of the totals, for OTEL_METRICS_EXPORTER with `otlp` or `console`: a periodic reader of OpenTelemetry for each.
 * A process whose metrics are served elsewhere has nothing to push.
 */
import { randomUUID } from 'node:crypto';
import type { MetricProducer, PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { WarningCode } from '../../errors';
import { installedCopies } from '../../runtime/application-packages';
import { consoleExporter } from './console';
import { OtlpThreadExporter } from './otlp';
import { isExponentialWanted, pushSettings } from './settings';

export { isExponentialWanted };

/** The application installs it: most services push nothing. */
const OTLP_PACKAGE = '@opentelemetry/exporter-metrics-otlp-proto';
/** The line of OpenTelemetry that this package is built with. */
const OTLP_VERSION = '0.223';

export type PushKind = 'otlp' | 'console';

/** What the pushes of this process are named by: a UUID, from its first push on or from the hub before. */
export interface PushInstance {
  id?: string | undefined;
}

export interface PushOptions {
  readonly kinds: readonly PushKind[];
  readonly producer: MetricProducer;
  /** The same for OTLP, where that is to have other histograms. */
  readonly otlpProducer?: MetricProducer | undefined;
  /** Given an id where it has none. */
  readonly instance: PushInstance;
  readonly env: NodeJS.ProcessEnv;
  /** Takes what is wrong, for the log of the process that is in use. */
  readonly onFault: (code: WarningCode, text: string) => void;
}

/** @returns those that this application can push by: the exporter of OTLP may not be installed */
export function availableKinds(kinds: readonly PushKind[]): readonly PushKind[] {
  return kinds.filter((kind) => kind === 'console' || findExporter() !== undefined);
}

/** Reports what cannot be done, and throws nothing. @returns a function that pushes for the last time and ends all */
export function startPushes({
  kinds,
  producer,
  otlpProducer = producer,
  instance,
  env,
  onFault,
}: PushOptions): () => Promise<void> {
  const { intervalMs, timeoutMs, faults } = pushSettings(env);
  for (const fault of faults) onFault('CHX_VARIABLE_VALUE', fault);
  const otlpExporter = () => {
    const exporter = findExporter();
    if (exporter !== undefined) return new OtlpThreadExporter({ exporter, timeoutMs, env });
    const remedy = `npm install ${OTLP_PACKAGE}@${OTLP_VERSION}`;
    const text = `nothing is pushed by OTLP: the application has no ${OTLP_PACKAGE}. Install it with ${remedy}`;
    onFault('CHX_EXPORTER_MISSING', text);
    return undefined;
  };
  const exporters = kinds.map((kind) =>
    kind === 'console'
      ? { exporter: consoleExporter, produced: producer }
      : { exporter: otlpExporter(), produced: otlpProducer },
  );
  const readers = exporters
    .filter((each): each is typeof each & { exporter: PushMetricExporter } => each.exporter !== undefined)
    .map(({ exporter, produced }) => {
      const { PeriodicExportingMetricReader } = require('./reader') as typeof import('./reader');
      // its own limit covers the handing over alone
      const exportTimeoutMillis = Math.min(timeoutMs, intervalMs);
      const options = { exporter, exportIntervalMillis: intervalMs, exportTimeoutMillis };
      const reader = new PeriodicExportingMetricReader(options);
      reader.setMetricProducer(withInstance(produced, instance));
      return { exporter, reader };
    });
  return async () => {
    const end = async ({ exporter, reader }: (typeof readers)[number]) => {
      // a push that is under way would take the place of the last one
      await exporter.forceFlush();
      await reader.shutdown();
    };
    await Promise.all(readers.map((each) => end(each).catch(() => undefined)));
  };
}

/**
 * Processes that push must not be taken for one another: each counts from zero. Who goes on with the totals of another
 * one pushes under the name of that: under two names they would be added up.
 */
function withInstance(producer: MetricProducer, instance: PushInstance): MetricProducer {
  instance.id ??= randomUUID();
  return {
    async collect(options) {
      const { resourceMetrics, errors } = await producer.collect(options);
      // read after the collection: before its first one a hub may have been left totals
      const attributes = { 'service.instance.id': instance.id, ...resourceMetrics.resource.attributes };
      const resource = { attributes } as unknown as typeof resourceMetrics.resource;
      return { resourceMetrics: { ...resourceMetrics, resource }, errors };
    },
  };
}

/** The application's copy, or one beside this package. */
function findExporter(): string | undefined {
  const [found] = installedCopies(OTLP_PACKAGE);
  if (found !== undefined) return found;
  try {
    return require.resolve(OTLP_PACKAGE);
  } catch {
    return undefined;
  }
}

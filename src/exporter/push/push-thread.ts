/**
 * A thread that sends metrics by OTLP. In a thread of its own, nothing of a push is in the application's spans or in
 * metrics of partners, and neither a slow receiver nor an attempt that is repeated keeps the process. It is started by
 * otlp.ts.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { MetricData, PushMetricExporter, ResourceMetrics, ScopeMetrics } from '@opentelemetry/sdk-metrics';

/** What the thread is started with. */
export interface PushThreadData {
  /** File of the application's @opentelemetry/exporter-metrics-otlp-proto. */
  readonly exporter: string;
  /** After which a push has failed. */
  readonly timeoutMs: number;
}

/** Points of a metric come in several messages; the last message of a push has the resource. */
export type PushMessage =
  | { readonly scope: ScopeMetrics['scope']; readonly metric: MetricData }
  | { readonly resource: Readonly<Record<string, unknown>> };

/** Answer to each push. */
export interface PushResult {
  /** Undefined where it was taken. */
  readonly error: string | undefined;
}

if (parentPort !== null) serve(parentPort, workerData as PushThreadData);

function serve(port: NonNullable<typeof parentPort>, { exporter: file, timeoutMs }: PushThreadData): void {
  const { OTLPMetricExporter } = require(file) as { OTLPMetricExporter: new () => PushMetricExporter };
  const exporter = new OTLPMetricExporter();
  let scopes = new Map<string, ScopeMetrics>();
  port.on('message', (message: PushMessage) => {
    if ('metric' in message) {
      add(scopes, message.scope, message.metric);
      return;
    }
    const resource = { attributes: message.resource } as ResourceMetrics['resource'];
    const metrics: ResourceMetrics = { resource, scopeMetrics: [...scopes.values()] };
    scopes = new Map();
    const limit = setTimeout(() => answer(`no answer within ${timeoutMs} ms`), timeoutMs);
    let isAnswered = false;
    const answer = (error: string | undefined) => {
      if (isAnswered) return;
      isAnswered = true;
      clearTimeout(limit);
      port.postMessage({ error } satisfies PushResult);
    };
    exporter.export(metrics, ({ code, error }) => answer(code === 0 ? undefined : textOf(error)));
  });
}

function add(scopes: Map<string, ScopeMetrics>, scope: ScopeMetrics['scope'], metric: MetricData): void {
  const key = JSON.stringify(scope);
  const { metrics }: Pick<ScopeMetrics, 'metrics'> = scopes.get(key) ?? { metrics: [] };
  scopes.set(key, { scope, metrics });
  const last = metrics.at(-1);
  if (last?.descriptor.name !== metric.descriptor.name) metrics.push(metric);
  else (last.dataPoints as unknown[]).push(...metric.dataPoints);
}

/** Without what a receiver wrote beyond its status. */
function textOf(error: (Error & { code?: unknown }) | undefined): string {
  if (error === undefined) return 'the push was refused';
  const { message, code } = error;
  return [message, code].filter((part) => part !== undefined && part !== '').join(', ') || error.name;
}

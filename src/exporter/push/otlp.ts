/**
 * An exporter that hands metrics to the thread which sends them, in parts that take the application little time. One
 * push is under way at a time: metrics are cumulative, so a push that is left out loses nothing but freshness.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { DataPoint, MetricData, PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { errorText, logLine, warn } from '../../diagnostics/log';
import { endsWithin } from '../../runtime/time-limit';
import { TimeSlice } from '../../runtime/time-slice';
import type { PushMessage, PushResult, PushThreadData } from './push-thread';

/** Points of one message; each takes some microseconds to be copied. */
const POINTS_PER_MESSAGE = 200;
/** How long shutdown() waits for a push that is under way, and as long again for the last one. */
const LAST_PUSH_MS = 2_000;

/** What the thread is given, and what it reads its variables from. */
export interface OtlpOptions extends PushThreadData {
  readonly env: NodeJS.ProcessEnv;
}

export class OtlpThreadExporter implements PushMetricExporter {
  private worker: Worker | undefined;
  /** Settles when the push that is under way has been answered; undefined while none is. */
  private underWay: Promise<void> | undefined;
  private answered: () => void = () => undefined;
  private hasFailed = false;

  constructor(private readonly options: OtlpOptions) {}

  export(metrics: ResourceMetrics, done: Parameters<PushMetricExporter['export']>[1]): void {
    // the reader's own limit of time would keep the process
    const begun = this.underWay === undefined ? this.push(metrics) : Promise.resolve();
    begun.catch((error) => this.failed(errorText(error))).then(() => done({ code: 0 }));
  }

  /** Waits for the push that is under way, two seconds at most. */
  async forceFlush(): Promise<void> {
    const { worker, underWay } = this;
    if (underWay === undefined) return;
    worker?.ref();
    await endsWithin(LAST_PUSH_MS, underWay);
    worker?.unref();
  }

  async shutdown(): Promise<void> {
    const { worker } = this;
    this.worker = undefined;
    // without waiting: nothing is sent any more
    worker?.terminate().catch(() => undefined);
  }

  private async push({ resource, scopeMetrics }: ResourceMetrics): Promise<void> {
    this.underWay = new Promise((resolve) => {
      this.answered = () => {
        this.underWay = undefined;
        resolve();
      };
    });
    this.worker ??= this.start();
    const { worker } = this;
    const slice = new TimeSlice();
    for (const { scope, metrics } of scopeMetrics) {
      for (const metric of metrics) {
        for (const part of partsOf(metric)) {
          send(worker, { scope, metric: part });
          if (slice.isOver()) await slice.wait();
        }
      }
    }
    send(worker, { resource: { ...resource.attributes } });
  }

  private start(): Worker {
    const { env, ...workerData } = this.options;
    const { NODE_OPTIONS: _preloads, ...variables } = env;
    // a preload has no business in this thread
    const options = { workerData, env: variables, execArgv: [], name: 'channel-exporter' };
    const worker = new Worker(join(__dirname, 'push-thread.js'), options);
    worker.on('message', ({ error }: PushResult) => {
      if (error !== undefined) this.failed(error);
      else this.succeeded();
    });
    worker.on('error', (error) => {
      // the next push starts another one
      if (this.worker === worker) this.worker = undefined;
      this.failed(errorText(error));
    });
    worker.unref();
    return worker;
  }

  private succeeded(): void {
    if (this.hasFailed) logLine('info', 'metrics are pushed again, and complete');
    this.hasFailed = false;
    this.answered();
  }

  private failed(error: string): void {
    if (!this.hasFailed) {
      const text = `metrics could not be pushed by OTLP: ${error}. Each push has all that was counted, so that the next one makes up for it`;
      warn('CHX_PUSH_FAILED', 'otlp', text);
    }
    this.hasFailed = true;
    this.answered();
  }
}

function send(worker: Worker, message: PushMessage): void {
  worker.postMessage(message);
}

function* partsOf(metric: MetricData): Generator<MetricData> {
  const points = metric.dataPoints as DataPoint<unknown>[];
  for (let at = 0; at === 0 || at < points.length; at += POINTS_PER_MESSAGE) {
    yield { ...metric, dataPoints: points.slice(at, at + POINTS_PER_MESSAGE) } as MetricData;
  }
}

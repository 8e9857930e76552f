/** What one process measures with, without sources and server: instruments, and a hub that adds them up. */
import assert from 'node:assert/strict';
import { emptyResource } from '@opentelemetry/resources';
import type { CollectionResult } from '@opentelemetry/sdk-metrics';
import { metricsText } from '../../src/exporter/text/exposition';
import type { Deltas } from '../../src/metrics/deltas';
import { createInstruments, type InstrumentsSettings } from '../../src/metrics/instruments';
import type { LabelName } from '../../src/metrics/label-limits';
import { createMeters } from '../../src/metrics/pipeline';
import { ServiceTotals } from '../../src/metrics/totals';
import { createViews, families, type ViewSettings } from '../../src/views';
import { type Metrics, parseMetrics } from './metrics';

const UNBOUNDED: Readonly<Record<LabelName, number>> = {
  route: 100_000,
  path: 100_000,
  f_code: 100_000,
  method_code: 100_000,
  code: 100_000,
  topic: 100_000,
  action_code: 100_000,
  url: 100_000,
};

/** A replaced value, by family and label; `all` where the family was full, `callers` where it was nearly so. */
export type Overflow = readonly [family: string, label: string];

export const SERIES_LIMIT = 2_000;

/** Boundaries few enough to write their buckets down. */
export const SETTINGS: ViewSettings = {
  syscode: 'B000000001',
  innerMetricsBuckets: [100, 200, 500],
  partnerHttpMetricsBuckets: [1, 2, 3],
  consumerMetricsBuckets: [1000],
  flaskMetrics: true,
};

export type TestInstruments = ReturnType<typeof createMeasuring>['instruments'];

/** @param settings with the families of Flask exporters where their instruments are used */
export function createMeasuring(
  settings: ViewSettings,
  limits: Partial<InstrumentsSettings['labelValuesLimit']> = {},
  hasMonitored = () => false,
) {
  const catalogue = families(settings, hasMonitored);
  const overflows: Overflow[] = [];
  const views = createViews(catalogue, SERIES_LIMIT);
  const { collector, factory, selfMetrics } = createMeters(
    { ...settings, seriesLimit: SERIES_LIMIT },
    views,
    () => undefined,
  );
  const { flask, ...others } = createInstruments(
    factory,
    { ...settings, env: 'PROD', labelValuesLimit: { ...UNBOUNDED, ...limits } },
    {
      begin: () => undefined,
      labelFull: (family, label) => overflows.push([family, label]),
      familyFull: (family, _limit, isFull) => overflows.push([family, isFull ? 'all' : 'callers']),
    },
  );
  const instruments = {
    ...others,
    ...selfMetrics,
    get flaskLatency() {
      assert.ok(flask);
      return flask.latency;
    },
    get flaskCount() {
      assert.ok(flask);
      return flask.count;
    },
  };
  const hub = new ServiceTotals(catalogue, collector, {
    resource: emptyResource(),
    seriesLimit: SERIES_LIMIT,
    rooms: factory.rooms,
  });
  return {
    catalogue,
    instruments,
    collector,
    /** @returns what was measured since the last call */
    async deltas(): Promise<Deltas> {
      assert.deepEqual(await kept(() => collector.collect()), []);
      return collector.take();
    },
    hub,
    overflows,
    scrape: () => scrapeOf(hub),
  };
}

/** Works as beside a server, which keeps the process: nothing of ours does. */
export async function kept<T>(work: () => Promise<T>): Promise<T> {
  const server = setInterval(() => undefined, 1_000);
  try {
    return await work();
  } finally {
    clearInterval(server);
  }
}

export function collectFrom(hub: ServiceTotals): Promise<CollectionResult> {
  return kept(() => hub.collect());
}

export async function scrapeOf(hub: ServiceTotals): Promise<Metrics> {
  const { resourceMetrics, errors } = await collectFrom(hub);
  assert.deepEqual(errors, []);
  return parseMetrics(metricsText(resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics)));
}

/**
 * The totals of the service for readers other than the scrape: as copies, because totals are added to in place and a
 * reader may keep what it was given until it is exported.
 */
import type {
  CollectionResult,
  DataPoint,
  Histogram,
  MetricData,
  MetricProducer,
  ScopeMetrics,
} from '@opentelemetry/sdk-metrics';
import { within } from '../runtime/time-limit';
import { TimeSlice } from '../runtime/time-slice';

/** Longest time that a reader waits; what the application observes itself is given up before. */
export const PRODUCE_LIMIT_MS = 5_000;

type Point = DataPoint<number> | DataPoint<Histogram>;

/**
 * @param totals of the service
 * @param isServedElsewhere whether another process has what this one measures; asked before each collection
 * @returns a producer that does not reject: a reader would drop what others produce beside it
 */
export function createDetachedProducer(
  totals: MetricProducer,
  isServedElsewhere: () => Promise<boolean>,
): MetricProducer {
  const produce = async (): Promise<CollectionResult> => {
    if (await isServedElsewhere()) return nothing();
    const { resourceMetrics, errors } = await totals.collect();
    const slice = new TimeSlice();
    const scopeMetrics: ScopeMetrics[] = [];
    for (const { scope, metrics } of resourceMetrics.scopeMetrics) {
      const copies: MetricData[] = [];
      for (const metric of metrics) copies.push(await copyOf(metric, slice));
      scopeMetrics.push({ scope: { ...scope }, metrics: copies });
    }
    return { resourceMetrics: { ...resourceMetrics, scopeMetrics }, errors };
  };
  return {
    async collect() {
      try {
        return await within(PRODUCE_LIMIT_MS, produce());
      } catch (error) {
        return nothing(error);
      }
    },
  };
}

/** @returns a collection without metrics */
export function nothing(...errors: unknown[]): CollectionResult {
  return { resourceMetrics: { resource: NO_RESOURCE, scopeMetrics: [] }, errors };
}

/** A reader takes the resource of its own provider, and ignores that of a further producer. */
const NO_RESOURCE = { attributes: {} } as CollectionResult['resourceMetrics']['resource'];

/** Each point in one step, so that its buckets, sum and count belong together. */
async function copyOf(metric: MetricData, slice: TimeSlice): Promise<MetricData> {
  const { descriptor, dataPoints } = metric;
  const boundaries = new Map<readonly number[], number[]>();
  const points: Point[] = [];
  for (const { startTime, endTime, attributes, value } of dataPoints as readonly Point[]) {
    points.push({
      startTime: [...startTime],
      endTime: [...endTime],
      attributes: { ...attributes },
      value: typeof value === 'number' ? value : copyOfHistogram(value, boundaries),
    } as Point);
    if (slice.isOver()) await slice.wait();
  }
  return { ...metric, descriptor: { ...descriptor }, dataPoints: points } as MetricData;
}

/** @param copies of boundaries, which the points of a family share */
function copyOfHistogram(value: Histogram, copies: Map<readonly number[], number[]>): Histogram {
  const { boundaries, counts } = value.buckets;
  const copy = copies.get(boundaries) ?? [...boundaries];
  copies.set(boundaries, copy);
  return { ...value, buckets: { boundaries: copy, counts: [...counts] } };
}

/**
 * The totals of the service for readers other than the scrape: as copies, because totals are added to in place and a
 * reader may keep what it was given until it is exported.
 */
import type {
  CollectionResult,
  DataPoint,
  ExponentialHistogram,
  Histogram,
  MetricData,
  MetricProducer,
  ScopeMetrics,
} from '@opentelemetry/sdk-metrics';
import { exponentialOfBuckets, toExponentialHistogram } from '../metrics/exponential';
import type { Doubled } from '../metrics/points';
import { within } from '../runtime/time-limit';
import { TimeSlice } from '../runtime/time-slice';
import { DataPointType } from '../views/sdk-constants';

/** Longest time that a reader waits; what the application observes itself is given up before. */
export const PRODUCE_LIMIT_MS = 5_000;

type Point = DataPoint<number> | DataPoint<Histogram>;

/**
 * @param totals of the service
 * @param isServedElsewhere whether another process has what this one measures; asked before each collection
 * @param isExponential whether histograms that have exponential buckets too are produced with these
 * @returns a producer that does not reject: a reader would drop what others produce beside it
 */
export function createDetachedProducer(
  totals: MetricProducer,
  isServedElsewhere: () => Promise<boolean>,
  isExponential = false,
): MetricProducer {
  const produce = async (): Promise<CollectionResult> => {
    if (await isServedElsewhere()) return nothing();
    const { resourceMetrics, errors } = await totals.collect();
    const slice = new TimeSlice();
    const scopeMetrics: ScopeMetrics[] = [];
    for (const { scope, metrics } of resourceMetrics.scopeMetrics) {
      const copies: MetricData[] = [];
      for (const metric of metrics)
        copies.push(await (isExponential && hasExponential(metric) ? exponentialCopyOf : copyOf)(metric, slice));
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

function hasExponential({ dataPointType, dataPoints }: MetricData): boolean {
  return dataPointType === DataPointType.HISTOGRAM && dataPoints.some((point) => 'exponential' in point);
}

/** The same with exponential buckets in place of the explicit ones. */
async function exponentialCopyOf(metric: MetricData, slice: TimeSlice): Promise<MetricData> {
  const { descriptor, dataPoints } = metric;
  const points: DataPoint<ExponentialHistogram>[] = [];
  for (const point of dataPoints as readonly (DataPoint<Histogram> & Partial<Doubled>)[]) {
    const { startTime, endTime, attributes, value } = point;
    const { boundaries, counts } = value.buckets;
    const exponential = point.exponential ?? exponentialOfBuckets(boundaries, counts);
    points.push({
      startTime: [...startTime],
      endTime: [...endTime],
      attributes: { ...attributes },
      value: toExponentialHistogram(exponential, value.count, value.sum),
    });
    if (slice.isOver()) await slice.wait();
  }
  return {
    ...metric,
    descriptor: { ...descriptor },
    dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM,
    dataPoints: points,
  } as MetricData;
}

/** @param copies of boundaries, which the points of a family share */
function copyOfHistogram(value: Histogram, copies: Map<readonly number[], number[]>): Histogram {
  const { boundaries, counts } = value.buckets;
  const copy = copies.get(boundaries) ?? [...boundaries];
  copies.set(boundaries, copy);
  return { ...value, buckets: { boundaries: copy, counts: [...counts] } };
}

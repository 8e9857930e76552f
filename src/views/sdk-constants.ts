/**
 * Words of the SDK's as it numbers them. Loading the SDK for them would cost more than all the rest of a start; a test
 * holds each equal to the SDK's own.
 */
import type {
  AggregationTemporality as SdkAggregationTemporality,
  AggregationType as SdkAggregationType,
  DataPointType as SdkDataPointType,
} from '@opentelemetry/sdk-metrics';

export type DataPointType = SdkDataPointType;
export const DataPointType = {
  HISTOGRAM: 0 as SdkDataPointType.HISTOGRAM,
  EXPONENTIAL_HISTOGRAM: 1 as SdkDataPointType.EXPONENTIAL_HISTOGRAM,
  GAUGE: 2 as SdkDataPointType.GAUGE,
  SUM: 3 as SdkDataPointType.SUM,
} as const;

export const AggregationTemporality = {
  DELTA: 0 as SdkAggregationTemporality.DELTA,
  CUMULATIVE: 1 as SdkAggregationTemporality.CUMULATIVE,
} as const;

export const AggregationType = {
  DEFAULT: 0 as SdkAggregationType.DEFAULT,
  DROP: 1 as SdkAggregationType.DROP,
  SUM: 2 as SdkAggregationType.SUM,
  LAST_VALUE: 3 as SdkAggregationType.LAST_VALUE,
  EXPLICIT_BUCKET_HISTOGRAM: 4 as SdkAggregationType.EXPLICIT_BUCKET_HISTOGRAM,
  EXPONENTIAL_HISTOGRAM: 5 as SdkAggregationType.EXPONENTIAL_HISTOGRAM,
} as const;

/** Boundaries of a histogram for which neither the application nor a View gives any. */
export const DEFAULT_BOUNDARIES: readonly number[] = [
  0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000,
];

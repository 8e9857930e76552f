/**
 * Constants of the SDK's data model, so that a process which has nothing to serve yet need not load the SDK for them.
 * A test holds them equal to the SDK's enumerations, of which they have the types.
 */
import type {
  AggregationTemporality as SdkAggregationTemporality,
  AggregationType as SdkAggregationType,
  DataPointType as SdkDataPointType,
} from '@opentelemetry/sdk-metrics';

export const AggregationType = {
  EXPLICIT_BUCKET_HISTOGRAM: 4 as SdkAggregationType.EXPLICIT_BUCKET_HISTOGRAM,
} as const;

export const AggregationTemporality = {
  DELTA: 0 as SdkAggregationTemporality.DELTA,
  CUMULATIVE: 1 as SdkAggregationTemporality.CUMULATIVE,
} as const;

export const DataPointType = {
  HISTOGRAM: 0 as SdkDataPointType.HISTOGRAM,
  EXPONENTIAL_HISTOGRAM: 1 as SdkDataPointType.EXPONENTIAL_HISTOGRAM,
  GAUGE: 2 as SdkDataPointType.GAUGE,
  SUM: 3 as SdkDataPointType.SUM,
} as const;

/** A receiver of OTLP over HTTP: what a service pushes, decoded, and the totals that a backend would show. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { parse } from 'protobufjs';
import { until } from './waiting';

/** The part of the protocol that metrics use. @see https://github.com/open-telemetry/opentelemetry-proto */
const SCHEMA = `
syntax = "proto3";
message Request { repeated ResourceMetrics resource_metrics = 1; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeMetrics { Scope scope = 1; repeated Metric metrics = 2; }
message Scope { string name = 1; }
message Metric {
  string name = 1; string description = 2; string unit = 3;
  oneof data { Gauge gauge = 5; Sum sum = 7; Histogram histogram = 9; ExponentialHistogram exponential_histogram = 10; }
}
message Gauge { repeated Number data_points = 1; }
message Sum { repeated Number data_points = 1; int32 aggregation_temporality = 2; bool is_monotonic = 3; }
message Histogram { repeated HistogramPoint data_points = 1; int32 aggregation_temporality = 2; }
message Number {
  repeated KeyValue attributes = 7; fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3;
  oneof value { double as_double = 4; sfixed64 as_int = 6; }
}
message HistogramPoint {
  repeated KeyValue attributes = 9; fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; fixed64 count = 4;
  optional double sum = 5; repeated fixed64 bucket_counts = 6; repeated double explicit_bounds = 7;
}
message ExponentialHistogram { repeated ExponentialPoint data_points = 1; int32 aggregation_temporality = 2; }
message ExponentialPoint {
  repeated KeyValue attributes = 1; fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; fixed64 count = 4;
  optional double sum = 5; sint32 scale = 6; fixed64 zero_count = 7; Buckets positive = 8; Buckets negative = 9;
  optional double min = 12; optional double max = 13;
}
message Buckets { sint32 offset = 1; repeated uint64 bucket_counts = 2; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
`;
const CUMULATIVE = 2;

interface Encoded<Point> {
  readonly aggregationTemporality?: number;
  readonly isMonotonic?: boolean;
  readonly dataPoints?: readonly Point[];
}
type Pairs = readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
interface EncodedPoint {
  readonly attributes?: Pairs;
  readonly startTimeUnixNano: number;
  readonly timeUnixNano: number;
  readonly asDouble?: number;
  readonly asInt?: number;
  readonly count?: number;
  readonly sum?: number;
  readonly bucketCounts?: readonly number[];
  readonly explicitBounds?: readonly number[];
  readonly scale?: number;
  readonly zeroCount?: number;
  readonly positive?: { readonly offset?: number; readonly bucketCounts?: readonly number[] };
  readonly min?: number;
  readonly max?: number;
}
interface EncodedRequest {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: Pairs };
    readonly scopeMetrics: readonly {
      readonly scope: { readonly name: string };
      readonly metrics: readonly {
        readonly name: string;
        readonly description?: string;
        readonly unit?: string;
        readonly gauge?: Encoded<EncodedPoint>;
        readonly sum?: Encoded<EncodedPoint>;
        readonly histogram?: Encoded<EncodedPoint>;
        readonly exponentialHistogram?: Encoded<EncodedPoint>;
      }[];
    }[];
  }[];
}

export interface ReceivedPoint {
  readonly labels: Readonly<Record<string, unknown>>;
  /** Nanoseconds since the epoch, as far as a number holds them. */
  readonly start: number;
  readonly time: number;
  /** Of a gauge or sum; of a histogram its count. */
  readonly value: number;
  readonly sum?: number;
  readonly buckets?: readonly number[];
  readonly boundaries?: readonly number[];
  readonly exponential?: {
    readonly scale: number;
    readonly zeroCount: number;
    readonly offset: number;
    readonly counts: readonly number[];
    readonly min?: number | undefined;
    readonly max?: number | undefined;
  };
}

export interface ReceivedMetric {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly kind: 'gauge' | 'counter' | 'sum' | 'histogram' | 'exponential';
  readonly scope: string;
  readonly points: readonly ReceivedPoint[];
}

/** One export of one process. */
export interface Push {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly metrics: ReadonlyMap<string, ReceivedMetric>;
}

export interface Receiver {
  readonly url: string;
  /** What came until now, in its order. */
  readonly pushes: readonly Push[];
  /** Status of answers from now on; 0: none is given. */
  status: number;
  /** Milliseconds until an answer is given. */
  delayMs: number;
  /** Requests that came, with those that were refused. */
  readonly requests: number;
  /** Sum of a family over all processes, as each pushed it last. */
  total(family: string, labels?: Readonly<Record<string, string>>): number;
  /** Waits until a family has a total, no longer when it is beyond. */
  reaches(family: string, total: number, labels?: Readonly<Record<string, string>>): Promise<number>;
  end(): Promise<void>;
}

const request = parse(SCHEMA, { keepCase: false }).root.lookupType('Request');

/** @param port 0: any free one */
export async function openReceiver(port = 0): Promise<Receiver> {
  const pushes: Push[] = [];
  let requests = 0;
  const server = createServer(async (incoming, response) => {
    requests++;
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { headers, url: path = '' } = incoming;
    const body = Buffer.concat(chunks);
    if (receiver.status === 0) return;
    if (receiver.status === 200) {
      const bytes = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
      const message = request.toObject(request.decode(bytes), { longs: Number, arrays: true }) as EncodedRequest;
      for (const { resource, scopeMetrics } of message.resourceMetrics) {
        const metrics = scopeMetrics.flatMap((scope) => scope.metrics.map((each) => received(scope.scope.name, each)));
        const byName = new Map(metrics.map((each) => [each.name, each]));
        pushes.push({ path, headers, resource: objectOf(resource.attributes), metrics: byName });
      }
    }
    if (receiver.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, receiver.delayMs));
    response.writeHead(receiver.status, { 'content-type': 'application/x-protobuf' }).end();
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const total: Receiver['total'] = (family, labels = {}) => {
    const last = new Map(pushes.map((push) => [push.resource['service.instance.id'], push]));
    const points = [...last.values()].flatMap(({ metrics }) => metrics.get(family)?.points ?? []);
    return points.filter((point) => hasLabels(point, labels)).reduce((sum, { value }) => sum + value, 0);
  };
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pushes,
    status: 200,
    delayMs: 0,
    get requests() {
      return requests;
    },
    total,
    async reaches(family, wanted, labels) {
      await until(
        async () => total(family, labels) >= wanted,
        () => `${family} is ${total(family, labels)} of ${wanted} after ${pushes.length} pushes`,
      );
      return total(family, labels);
    },
    async end() {
      server.close();
      server.closeAllConnections();
    },
  };
  return receiver;
}

function hasLabels({ labels }: ReceivedPoint, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

type EncodedMetric = EncodedRequest['resourceMetrics'][number]['scopeMetrics'][number]['metrics'][number];

function received(scope: string, encoded: EncodedMetric): ReceivedMetric {
  // what is empty is not sent
  const { name, description = '', unit = '', gauge, sum, histogram, exponentialHistogram: exponential } = encoded;
  const data = gauge ?? sum ?? histogram ?? exponential;
  if (data === undefined) throw new Error(`${name} has no data of a kind that is known`);
  if (gauge === undefined && data.aggregationTemporality !== CUMULATIVE) throw new Error(`${name} is not cumulative`);
  const kind = kindOf(encoded);
  const isExponential = exponential !== undefined;
  const points = (data.dataPoints ?? []).map((point) => pointOf(point, isExponential));
  return { name, description, unit, kind, scope, points };
}

function kindOf({ gauge, histogram, exponentialHistogram, sum }: EncodedMetric): ReceivedMetric['kind'] {
  if (gauge) return 'gauge';
  if (histogram) return 'histogram';
  if (exponentialHistogram) return 'exponential';
  return sum?.isMonotonic ? 'counter' : 'sum';
}

function pointOf(
  { attributes = [], startTimeUnixNano, timeUnixNano, ...point }: EncodedPoint,
  isExponential: boolean,
): ReceivedPoint {
  const { scale = 0, zeroCount = 0, positive = {}, min, max } = point;
  return {
    labels: objectOf(attributes),
    start: startTimeUnixNano,
    time: timeUnixNano,
    value: point.asDouble ?? point.asInt ?? point.count ?? 0,
    ...(point.sum !== undefined && { sum: point.sum }),
    ...(point.bucketCounts?.length && { buckets: point.bucketCounts, boundaries: point.explicitBounds ?? [] }),
    ...(isExponential && {
      exponential: { scale, zeroCount, offset: positive.offset ?? 0, counts: positive.bucketCounts ?? [], min, max },
    }),
  };
}

function objectOf(pairs: Pairs): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]]));
}

/** An application's own spans, as test/fixtures/neighbours/tracing.cjs writes them, and the versions that make them. */
import { readFileSync } from 'node:fs';

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly name: string;
  readonly kind: number;
  readonly scope: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: unknown;
  readonly events: readonly string[];
}

/** A span without what differs from run to run. */
export interface SpanTree {
  readonly span: string;
  readonly children: readonly SpanTree[];
}

/** Versions that this package itself depends on: npm hoists them into one copy. */
export const OUR_LINE = {
  '@opentelemetry/context-async-hooks': '2.12.0',
  '@opentelemetry/core': '2.12.0',
  '@opentelemetry/instrumentation': '0.223.0',
  '@opentelemetry/instrumentation-express': '0.71.1',
  '@opentelemetry/instrumentation-http': '0.223.0',
  '@opentelemetry/sdk-trace': '2.12.0',
};
export const NEWEST_LINE = {
  '@opentelemetry/context-async-hooks': '3.1.1',
  '@opentelemetry/core': '3.1.1',
  '@opentelemetry/instrumentation': '0.301.0',
  '@opentelemetry/instrumentation-express': '0.72.0',
  '@opentelemetry/instrumentation-http': '0.301.0',
  '@opentelemetry/sdk-trace': '3.1.1',
};

/** @param file one span a line */
export function readSpans(file: string): readonly Span[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Span);
}

/** Spans as trees, in an order that does not depend on which of them ended first. */
export function treesOf(spans: readonly Span[], port: number): readonly SpanTree[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const childrenOf = (parentId: string): readonly SpanTree[] =>
    sorted(spans.filter((span) => span.parentId === parentId).map(toTree));
  const toTree = (span: Span): SpanTree => ({ span: describeSpan(span, port, ids), children: childrenOf(span.spanId) });
  return sorted(spans.filter(({ parentId }) => !ids.has(parentId)).map(toTree));
}

function sorted(trees: readonly SpanTree[]): readonly SpanTree[] {
  return [...trees].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function describeSpan(
  { name, kind, scope, attributes, status, events, parentId }: Span,
  port: number,
  ids: Set<string>,
) {
  const kept = Object.entries(attributes)
    .filter(([key]) => !/^(net|server|client|network)\..*port$/.test(key))
    .sort();
  const remote = parentId === '' || ids.has(parentId) ? '' : parentId;
  return JSON.stringify({ name, kind, scope, attributes: kept, status, events, remote }).replaceAll(
    `:${port}`,
    ':<port>',
  );
}

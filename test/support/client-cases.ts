/** What can become of a call to a partner, in one table for every client. */
import assert from 'node:assert/strict';
import { PARTNER, PARTNER_ERRORS } from './app';
import { type ClientApp, type Order, short } from './client-app';
import { growth, type Metrics } from './metrics';
import type { Partner } from './odd-partner';

/** One call and the series it makes grow. */
export interface Case {
  readonly title: string;
  /** Where it goes: a server of the partner, http1 unless said, and a path. */
  readonly to?: 'http1' | 'http2' | 'https' | 'refused' | 'dns';
  readonly path: string;
  readonly order?: Order;
  /** As {@link short} writes them, without the name of the server, and the word of an error behind them. */
  readonly expect: readonly string[];
  /** Only for these ways to call. */
  readonly only?: readonly string[];
  /** Whether the response is let go of before the count. */
  readonly dropped?: boolean;
}

/** The outcomes that every client has. */
export const OUTCOMES: readonly Case[] = [
  { title: 'a JSON answer', path: '/json', expect: ['j 200 A1'] },
  { title: 'a query', path: '/json?code=Q#part', expect: ['j 200 A1'] },
  { title: 'an errorCode with a status of its own', path: '/errorcode', expect: [' 500 E7'] },
  { title: 'an answer that is no JSON', path: '/text', expect: [' 200 -1'] },
  { title: 'an answer without a body', path: '/empty', expect: [' 204 -1'] },
  { title: 'a HEAD', path: '/json', order: { method: 'HEAD' }, expect: ['j 200 -1'] },
  { title: 'a gzip answer', path: '/gzip', expect: [' 200 G1'] },
  { title: 'a brotli answer', path: '/br', expect: [' 200 B1'] },
  { title: 'a deflate answer', path: '/deflate', expect: [' 200 D1'] },
  { title: 'an answer in pieces', path: '/chunks', expect: [' 200 1234'] },
  { title: 'an answer behind early hints', path: '/hints', expect: [' 200 H1'] },
  { title: 'an answer beyond the bound', path: '/large', expect: [' 200 L1'] },
  {
    title: 'a request with a body',
    path: '/echo',
    order: { method: 'POST', body: '{"code":"P1"}' },
    expect: [' 200 P1'],
    only: ['fetch', 'request', 'http2'],
  },
  { title: 'a refused connection', to: 'refused', path: '/json', expect: ['j 0 -1', 'j refused'] },
  { title: 'an unknown host', to: 'dns', path: '/json', expect: ['j 0 -1', 'j dns'] },
  { title: 'a reset before the head', path: '/reset', expect: [' 0 -1', ' reset'] },
  { title: 'a reset in the body', path: '/reset-body', expect: [' 200 -1', ' reset'] },
  { title: 'a call that is given up', path: '/never', order: { abort: 'before' }, expect: [' 0 -1', ' aborted'] },
  {
    title: 'a call that is given up at once',
    path: '/never',
    order: { abort: 'at once' },
    expect: [' 0 -1', ' aborted'],
  },
  {
    title: 'a call that is given up for a reason',
    path: '/never',
    order: { abort: 'before', reason: 'enough' },
    expect: [' 0 -1', ' aborted'],
  },
  { title: 'a body that is given up', path: '/stall', order: { abort: 'body' }, expect: [' 200 -1', ' aborted'] },
  { title: 'a call that takes too long', path: '/never', order: { timeoutMs: 150 }, expect: [' 0 -1', ' timeout'] },
  {
    title: 'a body that is cancelled',
    path: '/stall',
    order: { read: 'cancel' },
    expect: [' 200 -1', ' aborted'],
    only: ['fetch', 'request', 'http2'],
  },
  {
    title: 'a body that is never read',
    path: '/stall',
    order: { read: 'never' },
    expect: [' 200 -1', ' aborted'],
    only: ['fetch', 'request', 'http2'],
    dropped: true,
  },
];

/** Makes a call in both programs; it brings the same, and in the measured one exactly the expected grows. */
export async function assertCase(
  { plain, measured }: { plain: ClientApp; measured: ClientApp },
  partner: Partner,
  { to = 'http1', path, order, expect, dropped }: Case,
  way: Order,
): Promise<void> {
  const base = to === 'dns' ? 'http://partner.invalid' : partner[to];
  const call = { ...way, ...order, url: base + path };
  const before = await measured.metrics();
  const [without, within] = await Promise.all([plain.call(call), measured.call(call)]);
  assert.deepEqual(within, without, 'the application sees what it sees without the exporter');
  if (dropped) await Promise.all([plain.drop(), measured.drop()]);
  const wanted = expect.map((text) => `${to}/${text}`).sort();
  const after = await measured.metricsWhen((metrics) => total(grown(before, metrics)) >= total(wanted));
  assert.deepEqual(grown(before, after), wanted);
}

/** Kinds of calls for a crowd of them, each one exchange. */
const MIXED: readonly Order[] = [
  { path: '/json' },
  { path: '/gzip' },
  { path: '/late' },
  { path: '/errorcode' },
  { path: '/reset' },
  { path: '/reset-body' },
  { path: '/never', abort: 'before' },
  { path: '/stall', abort: 'body' },
  { path: '/chunks' },
  { path: '/empty' },
];
const SIDE_BY_SIDE = 50;

/**
 * Makes calls of every kind side by side.
 * @returns how many
 */
export async function callMixed(
  app: ClientApp,
  partner: Partner,
  ways: readonly string[],
  count: number,
  to: 'http1' | 'http2' = 'http1',
): Promise<number> {
  for (let made = 0; made < count; made += SIDE_BY_SIDE) {
    const orders = Array.from({ length: SIDE_BY_SIDE }, (_, n) => {
      const { path, ...order } = MIXED[(made + n) % MIXED.length] as Order;
      return { ...order, api: ways[(made + n * 7) % ways.length], url: `${partner[to]}${path}` };
    });
    await app.call(...orders);
  }
  return Math.ceil(count / SIDE_BY_SIDE) * SIDE_BY_SIDE;
}

/** What has grown among the partner families. */
export function grown(before: Metrics, after: Metrics): string[] {
  return short([PARTNER, PARTNER_ERRORS].flatMap((family) => growth(before, after, family))).sort();
}

function total(series: readonly string[]): number {
  return series.length;
}

/** Exchanges in all. */
export function exchanges(metrics: Metrics): number {
  return metrics.counts(PARTNER).reduce((sum, { count }) => sum + count, 0);
}

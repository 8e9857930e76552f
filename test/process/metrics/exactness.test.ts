/** Exactly one observation a request and an exchange, of clients that stay, leave and break off: over 100,000 with TEST_FULL=1. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { INNER, PARTNER, PARTNER_ERRORS } from '../../support/app';
import { effort } from '../../support/effort';
import {
  ACTION_CODES,
  type Burst,
  burst,
  type Kind,
  type Load,
  type ServiceState,
  send,
  startLoad,
} from '../../support/load';
import type { Metrics } from '../../support/metrics';

const CONNECTIONS = 40;
const FULL_REQUESTS = 100_000;
/** The plan is divided by it. */
const PART = effort({ short: 10, full: 1 });

/** How many connections of what, in the full run: requests on each, and how the client leaves. */
const FULL_PLAN: readonly { kind: Kind; bursts: number; requests: number; leaving?: Pick<Burst, 'leaves' | 'at'> }[] = [
  { kind: 'fast', bursts: 1_300, requests: 50 },
  { kind: 'fast', bursts: 5_000, requests: 1 },
  { kind: 'fast', bursts: 200, requests: 20, leaving: { leaves: 'resets', at: 'first bytes' } },
  { kind: 'post', bursts: 400, requests: 20 },
  { kind: 'packed', bursts: 300, requests: 20 },
  { kind: 'call', bursts: 500, requests: 12 },
  { kind: 'slow', bursts: 200, requests: 4 },
  { kind: 'slow', bursts: 500, requests: 4, leaving: { leaves: 'closes', at: 10 } },
  { kind: 'slow', bursts: 300, requests: 4, leaving: { leaves: 'resets', at: 'first bytes' } },
  { kind: 'slow', bursts: 100, requests: 2, leaving: { leaves: 'resets', at: 0 } },
  { kind: 'hang', bursts: 500, requests: 1, leaving: { leaves: 'closes', at: 20 } },
  { kind: 'stream', bursts: 500, requests: 2, leaving: { leaves: 'resets', at: 'first bytes' } },
  { kind: 'cut', bursts: 400, requests: 1 },
];
const PLAN = FULL_PLAN.map((row) => ({ ...row, bursts: row.bursts / PART }));
/** `path` of each kind. */
const ROUTES: Readonly<Record<Kind, string>> = {
  fast: '/fast/:id',
  post: '/post',
  packed: '/packed/:id',
  call: '/call/:path',
  slow: '/slow/:ms',
  hang: '/hang/:id',
  stream: '/stream/:id',
  cut: '/cut/:id',
};
/** Kinds whose every client stays, and those that never get a whole answer. */
const ANSWERED: readonly Kind[] = ['post', 'packed', 'call'];
const UNANSWERED: readonly Kind[] = ['hang', 'stream', 'cut'];
const CODES: Readonly<Partial<Record<Kind, string>>> = { post: 'P', packed: 'Z', call: 'C' };

const sum = (counts: readonly { readonly count: number }[]) => counts.reduce((total, { count }) => total + count, 0);

describe(`${FULL_REQUESTS / PART} mixed requests`, () => {
  let load: Load;
  let state: ServiceState;
  let metrics: Metrics;
  let sent = 0;
  let answers = 0;
  /** Answers to clients that stayed until the last one. */
  let wanted = 0;

  before(async () => {
    load = await startLoad();
    const staying = PLAN.filter(({ leaving, kind }) => leaving === undefined && !UNANSWERED.includes(kind));
    const leaving = PLAN.filter((each) => !staying.includes(each));
    const [stayingBursts, leavingBursts] = [staying, leaving].map((rows) => mixed(rows)) as [Burst[], Burst[]];
    wanted = stayingBursts.reduce((total, { requests }) => total + requests.length, 0);
    sent = wanted + leavingBursts.reduce((total, { requests }) => total + requests.length, 0);
    [answers] = (await Promise.all([
      send(load.app.port, stayingBursts, CONNECTIONS),
      send(load.app.port, leavingBursts, CONNECTIONS),
    ])) as [number, number];
    state = await load.quietState();
    const arrived = Object.values(state.arrived).reduce((total, count) => total + count, 0);
    await load.app
      .metricsWhen((seen) => sum(seen.counts(INNER)) >= arrived && sum(seen.counts(PARTNER)) >= state.calls)
      .catch(() => undefined);
    // what came twice would have come by now: another request has gone through since
    await load.state();
    metrics = await load.app.metrics();
  });
  after(() => load?.stop());

  const recorded = (kind: Kind, status?: string) =>
    sum(
      metrics
        .counts(INNER)
        .filter(({ labels }) => labels.path === ROUTES[kind] && (status ?? labels.http_status) === labels.http_status),
    );

  it('are sent, and each client that stays has all its answers', () => {
    assert.ok(sent >= FULL_REQUESTS / PART, `${sent} requests`);
    assert.equal(answers, wanted);
  });

  it('are recorded once each that has arrived, by route', () => {
    const kinds = Object.keys(ROUTES) as Kind[];
    const seen = Object.fromEntries(kinds.map((kind) => [kind, recorded(kind)]));
    assert.deepEqual(seen, Object.fromEntries(kinds.map((kind) => [kind, state.arrived[kind]])));
    assert.equal(
      sum(metrics.counts(INNER)),
      Object.values(state.arrived).reduce((total, count) => total + count, 0),
    );
  });

  it('are 200 or 499 and nothing else', () => {
    const statuses = new Set(metrics.counts(INNER).map(({ labels }) => labels.http_status));
    assert.deepEqual([...statuses].sort(), ['200', '499']);
  });

  for (const kind of ANSWERED) {
    it(`of kind ${kind} are all answered, with their code`, () => {
      const planned = PLAN.filter((row) => row.kind === kind).reduce(
        (total, row) => total + row.bursts * row.requests,
        0,
      );
      assert.equal(recorded(kind, '200'), planned);
      const series = metrics.counts(INNER).filter(({ labels }) => labels.path === ROUTES[kind]);
      assert.deepEqual(
        series.map(({ labels }) => [labels.code, labels.method_code]),
        [[CODES[kind], kind === 'post' ? 'M1' : '']],
      );
    });
  }

  for (const kind of UNANSWERED) {
    it(`of kind ${kind} are all 499`, () => {
      assert.ok(recorded(kind, '499') > 0);
      assert.equal(recorded(kind, '499'), state.arrived[kind]);
    });
  }

  it('make one partner exchange a call, failed or not', () => {
    const calls = PLAN.filter(({ kind }) => kind === 'call').reduce(
      (total, row) => total + row.bursts * row.requests,
      0,
    );
    assert.equal(state.calls, calls);
    assert.equal(load.partnerRequests(), calls);
    const byAction = Object.fromEntries(
      Object.values(ACTION_CODES).map((action) => [
        action,
        metrics
          .counts(PARTNER)
          .filter(({ labels }) => labels.action_code === action)
          .map(({ labels, count }) => `${labels.http_status} ${labels.code} ${count}`),
      ]),
    );
    assert.deepEqual(byAction, {
      [ACTION_CODES['/pay'] as string]: [`200 00 ${calls / 2}`],
      [ACTION_CODES['/reset'] as string]: [`0 -1 ${calls / 4}`],
      [ACTION_CODES['/large'] as string]: [`200 00 ${calls / 4}`],
    });
    assert.deepEqual(
      metrics.counts(PARTNER_ERRORS).map(({ labels, count }) => [labels.error, count]),
      [['reset', calls / 4]],
    );
  });

  it('lose and fail nothing', () => {
    assert.equal(sum(metrics.counts('channel_exporter_lost_measurements_total')), 0);
    assert.equal(sum(metrics.counts('channel_exporter_errors_total')), 0);
    assert.equal(load.app.stderr().trim().split('\n').length, 1, load.app.stderr());
  });
});

/** The bursts of some rows, evenly mixed. */
function mixed(rows: readonly (typeof PLAN)[number][]): Burst[] {
  return rows
    .flatMap(({ kind, bursts, requests, leaving }) =>
      Array.from({ length: bursts }, (_, i) => ({ each: burst(kind, requests, leaving), place: (i + 0.5) / bursts })),
    )
    .sort((a, b) => a.place - b.place)
    .map(({ each }) => each);
}

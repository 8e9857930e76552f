/** gRPC by @grpc/grpc-js, as a server and as a client. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import { after, before, describe, it } from 'node:test';
import { INNER, PARTNER } from '../../support/app';
import type { Metrics } from '../../support/metrics';
import { answered, called, counted, type Pair, RpcPrograms } from '../../support/rpc';

const SERVER = 'test/fixtures/apps/grpc-server.js';
const CLIENT = 'test/fixtures/apps/grpc-client.js';
/** One byte in a frame. */
const MESSAGE = Buffer.from([0, 0, 0, 0, 1, 0x61]);

interface Case {
  readonly title: string;
  readonly method: string;
  readonly answered: readonly string[];
  /** Where it is not the same. */
  readonly called?: readonly string[];
}

const CASES: readonly Case[] = [
  { title: 'unary calls, several at a time', method: 'Unary', answered: ['200|0 ×202'] },
  { title: 'messages larger than the windows', method: 'Large', answered: ['200|0'] },
  { title: 'errors', method: 'Fails', answered: ['200|13', '200|5'] },
  { title: 'an error after a message', method: 'FailsWithMessage', answered: ['200|15'] },
  { title: 'a call that the server cancels', method: 'CancelsItself', answered: ['200|1'] },
  { title: 'a method that is not done yet', method: 'NotDone', answered: ['200|12'] },
  { title: 'messages of a server', method: 'ServerStream', answered: ['200|0'] },
  { title: 'messages of a client', method: 'ClientStream', answered: ['200|0'] },
  { title: 'messages of both', method: 'Bidi', answered: ['200|0'] },
  { title: 'a method that does not exist', method: 'Invented', answered: ['200|12'] },
  {
    title: 'a call that is cancelled before its answer',
    method: 'Never',
    answered: ['499|-1'],
    called: ['0|-1', 'aborted'],
  },
  {
    title: 'a call that is cancelled during its answer',
    method: 'NeverEnds',
    answered: ['499|-1'],
    called: ['200|-1', 'aborted'],
  },
];
/** Of the cases, and those with methods of their own below. */
const CALLS = 202 + 2 + 10 + 2;

const PATHS = {
  ...Object.fromEntries(CASES.map(({ method }) => [`/test.Calls/${method}`, method])),
  '/test.Calls/*': 'others',
};

describe('gRPC by grpc-js', () => {
  const programs = new RpcPrograms();
  let measured: Pair;
  let bare: Pair;
  let inner: Metrics;
  let outer: Metrics;
  before(async () => {
    const run = (isMeasured: boolean) =>
      programs.pair({ server: SERVER, client: CLIENT, clientArgs: (port) => [`127.0.0.1:${port}`], isMeasured }, PATHS);
    [measured, bare] = await Promise.all([run(true), run(false)]);
    inner = await counted(measured.server, INNER, CALLS);
    outer = await counted(measured.client, PARTNER, CALLS);
  });
  after(() => programs.end());

  it('changes nothing that the client sees', () => {
    assert.equal(bare.seen.size, 17);
    assert.deepEqual(measured.seen, bare.seen);
    assert.equal(measured.server.stdout().replace(/\d/g, ''), bare.server.stdout().replace(/\d/g, ''), 'cancellations');
  });

  for (const { title, method, ...expected } of CASES) {
    it(`records ${title}`, () => {
      assert.deepEqual(answered(inner, `/test.Calls/${method}`), expected.answered);
      assert.deepEqual(called(outer, method), expected.called ?? expected.answered);
    });
  }

  it('takes caller and method code from the metadata, and nothing from messages', () => {
    const labels = inner.counts(INNER).map((each) => each.labels);
    assert.deepEqual(new Set(labels.map(({ f_code }) => f_code)), new Set(['shop/2.0 grpc-node-j...']));
    const codes = labels.filter(({ method_code }) => method_code !== '');
    assert.deepEqual(
      codes.map(({ path, method_code }) => [path, method_code]),
      [['/test.Calls/MethodCode', 'M7']],
    );
  });

  it('measures up to the trailers', () => {
    for (const [metrics, family] of [
      [inner, INNER],
      [outer, PARTNER],
    ] as const) {
      const sums = metrics.samples.filter(
        ({ name, labels }) =>
          name === `${family}_sum` && (labels.path === '/test.Calls/Paused' || labels.action_code === 'others'),
      );
      assert.equal(sums.length, 1);
      assert.ok((sums[0]?.value ?? 0) >= 1290, 'the pause of the server counts');
    }
  });

  it('matches a service by one pattern', () => {
    assert.deepEqual(called(outer, 'others'), ['200|0 ×2']);
  });

  it('records the answer to a deadline that passed on the server', async () => {
    const { session, call } = open(measured.server.port);
    const headers = { 'grpc-timeout': '50m', 'user-agent': 'late' };
    const [head] = await once(call('/test.Calls/Never', headers), 'response');
    assert.equal(head['grpc-status'], '4');
    session.destroy();
    const late = (metrics: Metrics) => metrics.counts(INNER).filter(({ labels }) => labels.f_code === 'late');
    const metrics = await measured.server.metricsWhen((each) => late(each).length > 0);
    assert.deepEqual(
      late(metrics).map(({ labels: l, count }) => [l.path, l.http_status, l.code, count]),
      [['/test.Calls/Never', '200', '4', 1]],
    );
  });

  it('gives invented methods no room of real ones', async () => {
    const { session, call } = open(measured.server.port);
    for (let n = 0; n < 1000; n += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, k) => once(call(`/test.Calls/I${n + k}`), 'close')));
    }
    // the first call of a method that nobody has called before
    await once(call('/test.Calls/Late'), 'close');
    const metrics = await measured.server.metricsWhen((each) => answered(each, '/test.Calls/Late').length > 0);
    session.destroy();
    const paths = new Set(metrics.counts(INNER).map(({ labels }) => labels.path));
    const invented = [...paths].filter((path) => /\/I(nvented|\d+)$/.test(path ?? ''));
    assert.ok(invented.length > 50 && invented.length <= 100, `${invented.length} of 1,000 have a series`);
  });
});

function open(port: number) {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  return {
    session,
    /** Calls with one message. */
    call(path: string, headers: http2.OutgoingHttpHeaders = {}) {
      const grpc = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
      const stream = session.request({ ...grpc, ...headers }).on('error', () => undefined);
      stream.resume().end(MESSAGE);
      return stream;
    },
  };
}

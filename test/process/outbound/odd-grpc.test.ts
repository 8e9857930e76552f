/** Partners that answer calls of gRPC in unusual ways, or not. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { PARTNER } from '../../support/app';
import type { Metrics } from '../../support/metrics';
import { called, counted, RpcPrograms } from '../../support/rpc';

const GRPC = { ':status': 200, 'content-type': 'application/grpc+proto' };
const MESSAGE = Buffer.from([0, 0, 0, 0, 2, 0x68, 0x69]);

interface Case {
  readonly title: string;
  readonly answer: (stream: http2.ServerHttp2Stream) => unknown;
  readonly deadlineMs?: number;
  readonly expect: readonly string[];
}

function withTrailers(stream: http2.ServerHttp2Stream, trailers: http2.OutgoingHttpHeaders): void {
  stream.respond(GRPC, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(MESSAGE);
}

const CASES: Readonly<Record<string, Case>> = {
  Whole: { title: 'a usual answer', answer: (it) => withTrailers(it, { 'grpc-status': '0' }), expect: ['200|0'] },
  Unknown: {
    title: 'a status not known yet',
    answer: (it) => withTrailers(it, { 'grpc-status': '17' }),
    expect: ['200|17'],
  },
  NoTrailers: {
    title: 'an answer without trailers',
    answer(stream) {
      stream.respond(GRPC);
      stream.end(MESSAGE);
    },
    expect: ['200|-1'],
  },
  NoStatus: {
    title: 'trailers without a status',
    answer: (it) => withTrailers(it, { 'x-end': '0' }),
    expect: ['200|-1'],
  },
  Word: { title: 'a word for a status', answer: (it) => withTrailers(it, { 'grpc-status': 'ok' }), expect: ['200|-1'] },
  Long: {
    title: 'a status of many digits',
    answer: (it) => withTrailers(it, { 'grpc-status': '9'.repeat(5000) }),
    expect: ['200|-1'],
  },
  HeadAlone: {
    title: 'a status in the head',
    answer: (it) => it.respond({ ...GRPC, 'grpc-status': '7' }, { endStream: true }),
    expect: ['200|7'],
  },
  Json: {
    title: 'JSON of what stands before the partner',
    answer(stream) {
      stream.respond({ ':status': 503, 'content-type': 'application/json' });
      stream.end('{"code":"down"}');
    },
    expect: ['503|down'],
  },
  Reset: {
    title: 'a stream that is reset',
    answer: (it) => it.close(http2.constants.NGHTTP2_INTERNAL_ERROR),
    expect: ['0|-1', 'reset'],
  },
  Late: { title: 'no answer before a deadline', answer: () => undefined, deadlineMs: 200, expect: ['0|-1', 'timeout'] },
  LateEnd: {
    title: 'no end before a deadline',
    answer(stream) {
      stream.respond(GRPC, { waitForTrailers: true });
      stream.write(MESSAGE);
    },
    deadlineMs: 200,
    expect: ['200|-1', 'timeout'],
  },
};

describe('a partner of grpc-js', () => {
  const programs = new RpcPrograms();
  const server = http2.createServer();
  let metrics: Metrics;
  before(async () => {
    server.on('stream', (stream, headers) => {
      stream.on('error', () => undefined).resume();
      CASES[String(headers[':path']).split('/')[2] as string]?.answer(stream);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const paths = Object.entries(CASES).map(([name, { deadlineMs = 20_000 }]) => `/test.Odd/${name}@${deadlineMs}`);
    const actions = Object.fromEntries(Object.keys(CASES).map((name) => [`/test.Odd/${name}`, name]));
    const args = [`127.0.0.1:${port}`, ...paths];
    const client = await programs.client('test/fixtures/apps/grpc-client.js', args, port, actions);
    metrics = await counted(client, PARTNER, paths.length);
  });
  after(async () => {
    await programs.end();
    server.close();
  });

  for (const [name, { title, expect }] of Object.entries(CASES)) {
    it(`is recorded with ${title}`, () => assert.deepEqual(called(metrics, name), expect));
  }
});

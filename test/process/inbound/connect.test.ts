/** Connect, gRPC-Web and gRPC by @connectrpc/connect-node, as a server and as a client, as ES modules. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { INNER, PARTNER } from '../../support/app';
import type { Metrics } from '../../support/metrics';
import { answered, called, counted, type Pair, RpcPrograms } from '../../support/rpc';

/** What is recorded of each method, by the prefix of its protocol. */
const RECORDED: Readonly<Record<string, Readonly<Record<string, { inner: string; outer: string }>>>> = {
  grpc: {
    Unary: both('200|0'),
    Fails: both('200|9'),
    Stream: both('200|0'),
    FailsLater: both('200|10'),
    NotDone: both('200|12'),
  },
  web: {
    Unary: both('200|0'),
    Fails: both('200|9'),
    Stream: both('200|0'),
    FailsLater: both('200|10'),
    NotDone: both('200|12'),
  },
  connect: {
    Unary: both('200|-1'),
    Fails: both('400|failed_precondition'),
    Stream: { inner: '200|', outer: '200|-1' },
    FailsLater: both('200|aborted'),
    NotDone: both('200|unimplemented'),
  },
  json: {
    Unary: { inner: '200|', outer: '200|-1' },
    Fails: both('400|failed_precondition'),
    Stream: { inner: '200|', outer: '200|-1' },
    FailsLater: both('200|aborted'),
    NotDone: both('200|unimplemented'),
  },
};

function both(text: string) {
  return { inner: text, outer: text };
}

for (const version of ['1.1', '2']) {
  const prefixes = Object.keys(RECORDED).filter((prefix) => version === '2' || prefix !== 'grpc');
  describe(`connect-node over HTTP/${version}`, () => {
    const programs = new RpcPrograms();
    let measured: Pair;
    let bare: Pair;
    let inner: Metrics;
    let outer: Metrics;
    before(async () => {
      const paths = prefixes.flatMap((prefix) =>
        Object.keys(RECORDED[prefix] ?? {}).map((name) => [`/${prefix}/test.Calls/${name}`, `${prefix} ${name}`]),
      );
      const run = (isMeasured: boolean) =>
        programs.pair(
          {
            server: 'test/fixtures/apps/connect-server.mjs',
            serverArgs: [version],
            client: 'test/fixtures/apps/connect-client.mjs',
            clientArgs: (port) => [String(port), version],
            isMeasured,
          },
          Object.fromEntries(paths),
        );
      [measured, bare] = await Promise.all([run(true), run(false)]);
      inner = await counted(measured.server, INNER, paths.length);
      outer = await counted(measured.client, PARTNER, paths.length);
    });
    after(() => programs.end());

    it('changes nothing that the client sees', () => {
      assert.equal(bare.seen.size, 5 * prefixes.length);
      assert.deepEqual(withoutDates(measured.seen), withoutDates(bare.seen));
    });

    for (const prefix of prefixes) {
      for (const [name, expected] of Object.entries(RECORDED[prefix] ?? {})) {
        it(`records ${prefix} ${name}`, () => {
          assert.deepEqual(answered(inner, `/${prefix}/test.Calls/${name}`), [expected.inner]);
          assert.deepEqual(called(outer, `${prefix} ${name}`), [expected.outer]);
        });
      }
    }
  });
}

function withoutDates(seen: ReadonlyMap<string, unknown>): string {
  return JSON.stringify([...seen]).replace(/"date","[^"]*"/g, '');
}

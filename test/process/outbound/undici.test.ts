/** fetch and undici as partner calls: every version and way to call, with every outcome. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type Case, exchanges, OUTCOMES } from '../../support/client-cases';
import { describeClient } from '../../support/client-tests';
import { IS_FULL } from '../../support/effort';
import { nodeOfLine, ownLine } from '../../support/node-versions';

interface Version {
  readonly client: string;
  /** Oldest release line of Node that it runs on. */
  readonly since: number;
  readonly hasPlainProxy?: boolean;
}

const ALL_VERSIONS: readonly Version[] = [
  { client: 'undici6', since: 20 },
  { client: 'undici7-10', since: 20 },
  { client: 'undici7', since: 20, hasPlainProxy: true },
  { client: 'undici8', since: 22, hasPlainProxy: true },
];

/** In full all; otherwise the oldest, and the newest on the oldest Node. */
const VERSIONS = ALL_VERSIONS.filter(({ client }) => IS_FULL || client === 'undici6' || client === 'undici7');

const WAYS = ['fetch', 'request', 'stream', 'pipeline'] as const;

const CASES: readonly Case[] = [
  ...OUTCOMES,
  { title: 'a status 000, which it refuses', path: '/status-000', expect: [' 0 -1', ' other'] },
  {
    title: 'a peer with an unknown certificate',
    to: 'https',
    path: '/json',
    expect: ['j 0 -1', 'j tls'],
  },
  {
    title: 'redirects, every hop its own exchange',
    path: '/redirect',
    expect: ['j 200 A1', 'r 302 R1', 's 303 -1'],
    only: ['fetch'],
  },
  {
    title: 'a redirect that is not followed',
    path: '/redirect',
    order: { redirect: 'manual' },
    expect: ['r 302 R1'],
    only: ['fetch'],
  },
  {
    title: 'a head that is late',
    path: '/never',
    order: { settings: { headersTimeout: 100 } },
    expect: [' 0 -1', ' timeout'],
    only: ['request'],
  },
  {
    title: 'a body that stalls',
    path: '/stall',
    order: { settings: { bodyTimeout: 100 } },
    expect: [' 200 -1', ' timeout'],
    only: ['request'],
  },
  {
    title: 'a request whose body breaks',
    path: '/never',
    order: { method: 'POST', bodyFails: true },
    expect: [' 0 -1', ' aborted'],
    only: ['request'],
  },
];

/** Dispatchers; HTTP/2 ends its exchanges in code of its own, so that every outcome is tried there. */
const THROUGH: readonly { readonly through: string; readonly to?: Case['to']; readonly whole?: boolean }[] = [
  { through: 'pool' },
  { through: 'client' },
  { through: 'agent' },
  { through: 'agent', to: 'https' },
  { through: 'h2', to: 'https', whole: true },
  { through: 'proxy' },
];
const SOME: readonly string[] = [
  'a JSON answer',
  'a gzip answer',
  'a reset before the head',
  'a call that is given up',
  'a body that is given up',
];

for (const { client, since, hasPlainProxy } of VERSIONS) {
  const node = nodeOfLine(Math.max(since, ownLine));
  if (node === undefined) continue;
  describeClient(client, { client, node }, ({ partner, measured, itRecords, assertRecords, itCountsMixed }) => {
    for (const api of WAYS) {
      for (const each of CASES) itRecords(each, { api });
    }
    for (const { through, to = 'http1', whole = false } of THROUGH) {
      for (const each of OUTCOMES) {
        if (each.to === undefined && (whole || SOME.includes(each.title))) {
          itRecords({ ...each, to }, { api: 'request', through });
        }
      }
    }
    if (hasPlainProxy) {
      const target: Case = { title: 'the target of a proxy without a tunnel', path: '/json?x=1', expect: ['j 200 A1'] };
      itRecords(target, { api: 'request', through: 'plain proxy' });
    }
    it('a mocked exchange is not recorded, and what a mock lets pass is', async () => {
      const way = { api: 'request', through: 'mock' };
      await assertRecords({ title: '', path: '/json', expect: [] }, way);
      await assertRecords({ title: '', path: '/gzip', expect: [' 200 G1'] }, way);
    });
    itCountsMixed(WAYS);
    it('a call to a host outside the directory is not recorded', async () => {
      const earlier = exchanges(await measured().metrics());
      const url = `${partner().https.replace('localhost', '127.0.0.1')}/json`;
      const [answer] = (await measured().call({ api: 'request', through: 'agent', url })) as { statusCode: number }[];
      assert.equal(answer?.statusCode, 200);
      assert.equal(exchanges(await measured().metrics()), earlier);
    });
  });
}

/** Whom a request reaches: one table for every client, so that none decides otherwise than the others. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type AnsweringServer, startAnswering } from '../../support/answering';
import { PARTNER } from '../../support/app';
import { ClientApp } from '../../support/client-app';
import { exchanges } from '../../support/client-cases';
import { growth } from '../../support/metrics';
import { linesInTitle, NODE_LINES, nodeOfLine, ownLine } from '../../support/node-versions';

const PATHS = { '/json': 'j', '/': 'root' };
const HOSTS = {
  'partner.test': { partner: 'plain', paths: PATHS },
  'partner.test:8080': { partner: '8080', paths: PATHS },
  'bücher.test': { partner: 'idn', paths: PATHS },
  '[2001:db8::1]:8443': { partner: 'v6', paths: PATHS },
  // a proxy may be a partner too, by an API of its own
  'proxy.test:3128': { partner: 'proxy', paths: PATHS },
};

const NODE_HTTP = ['node:http of a string', 'node:http of a URL', 'node:http of options'] as const;
const FETCHES = ['fetch', 'undici.fetch'] as const;
const DISPATCHED = ['Agent.request', 'Agent.stream', 'Agent.pipeline', 'Agent.dispatch'] as const;
const WITHOUT_USER_INFO = [...NODE_HTTP, ...DISPATCHED, 'undici.request', 'node:http2'] as const;
const ALL = [...WITHOUT_USER_INFO, ...FETCHES] as const;
/** Those whose request target can be anything. */
const BY_TARGET = [...NODE_HTTP, ...DISPATCHED] as const;

type Way = (typeof ALL)[number] | 'Agent.connect' | 'ProxyAgent';

interface Row {
  readonly title: string;
  readonly url: string;
  /** What is sent in place of the URL's path. */
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly proxy?: string;
  readonly isTunnel?: boolean;
  readonly ways: readonly Way[];
  /** `partner/action` of what is recorded; undefined: nothing. */
  readonly expect: string | undefined;
}

const named = (title: string, url: string, expect: string | undefined, ways: readonly Way[] = ALL): Row => ({
  title,
  url,
  ways,
  expect,
});
/** A request to a proxy that is a partner itself. */
const proxied = (title: string, path: string, expect: string | undefined, ways: readonly Way[] = BY_TARGET): Row => ({
  title: `through a forward proxy, ${title}`,
  url: 'http://proxy.test:3128',
  path,
  ways,
  expect,
});

const ROWS: readonly Row[] = [
  named('a host without a port is the entry without a port', 'http://partner.test/json', 'plain/j'),
  named('a URL without a path is the path "/"', 'http://partner.test', 'plain/root'),
  named('a query is no part of the path', 'http://partner.test/json?x=/y', 'plain/j'),
  named('a query without a path follows the path "/"', 'http://partner.test?x=1', 'plain/root', [
    ...NODE_HTTP,
    ...FETCHES,
    'undici.request',
    'node:http2',
  ]),
  named('a path that is not in the directory has no action code', 'http://partner.test/other', 'plain/'),
  named('a path is compared as sent', 'http://partner.test/%6Ason', 'plain/'),
  named('the default port of http can be given', 'http://partner.test:80/json', 'plain/j'),
  named('https has a default port of its own', 'https://partner.test/json', 'plain/j'),
  named('the default port of https can be given', 'https://partner.test:443/json', 'plain/j'),
  named('the default port of http is none of https', 'https://partner.test:80/json', undefined),
  named('another port is another entry', 'http://partner.test:8080/json', '8080/j'),
  named('an entry with a port is for both schemes', 'https://partner.test:8080/json', '8080/j'),
  named('a port without an entry is no partner', 'http://partner.test:81/json', undefined),
  named('a host outside the directory is no partner', 'http://nowhere.test/json', undefined),
  named('upper case does not matter', 'HTTP://PARTNER.Test/json', 'plain/j'),
  named('a dot at the end does not matter', 'http://partner.test.:8080/json', '8080/j'),
  named('an internationalised name is its punycode', 'http://BÜCHER.test/json', 'idn/j'),
  named('punycode is its internationalised name', 'http://xn--bcher-kva.test/json', 'idn/j'),
  named('an IPv6 address has many spellings', 'http://[2001:0DB8:0::1]:8443/json', 'v6/j'),
  named('user info does not matter', 'http://user:p%40ss@partner.test/json', 'plain/j', WITHOUT_USER_INFO),
  {
    title: 'the Host header does not decide',
    url: 'http://partner.test/json',
    headers: { host: 'proxy.test:3128' },
    ways: [...NODE_HTTP, ...DISPATCHED],
    expect: 'plain/j',
  },
  {
    title: 'the Host header makes no partner',
    url: 'http://nowhere.test/json',
    headers: { host: 'partner.test' },
    ways: [...NODE_HTTP, ...DISPATCHED],
    expect: undefined,
  },
  {
    title: ':authority does not decide',
    url: 'http://partner.test/json',
    headers: { ':authority': 'proxy.test:3128' },
    ways: ['node:http2'],
    expect: 'plain/j',
  },
  proxied('the target counts', 'http://partner.test/json', 'plain/j'),
  proxied('the target has a port of its own', 'http://partner.test:8080/json?x=1', '8080/j'),
  proxied('the target can be of https', 'https://PARTNER.test.:443/json', 'plain/j'),
  proxied('the target can have user info', 'http://u:p@x@partner.test/json', 'plain/j'),
  proxied('the target can be an IPv6 address', 'http://[2001:DB8::1]:8443/json', 'v6/j'),
  proxied('a target without a path is the path "/"', 'http://partner.test', 'plain/root'),
  proxied('a query without a path follows the path "/"', 'http://partner.test?x=1', 'plain/root'),
  proxied('a target that is no partner is not recorded', 'http://nowhere.test/json', undefined),
  proxied('a target of another protocol is not recorded', 'ftp://partner.test/json', undefined, NODE_HTTP),
  proxied('a target that is no URL is not recorded', 'http://[/json', undefined),
  {
    title: 'a proxy that is a partner is recorded for requests to itself',
    url: 'http://proxy.test:3128/json',
    ways: ALL,
    expect: 'proxy/j',
  },
  {
    title: 'OPTIONS * is a request to the host, without an action code',
    url: 'http://partner.test',
    method: 'OPTIONS',
    path: '*',
    ways: [...NODE_HTTP, 'node:http2'],
    expect: 'plain/',
  },
  {
    title: 'CONNECT to a partner is a tunnel and no exchange',
    url: 'http://proxy.test:3128',
    method: 'CONNECT',
    path: 'nowhere.test:443',
    isTunnel: true,
    ways: [...NODE_HTTP, 'Agent.connect', 'node:http2'],
    expect: undefined,
  },
  {
    title: 'CONNECT for a partner is a tunnel and no exchange',
    url: 'http://nowhere.test:3128',
    method: 'CONNECT',
    path: 'partner.test:8080',
    isTunnel: true,
    ways: [...NODE_HTTP, 'Agent.connect', 'node:http2'],
    expect: undefined,
  },
  {
    title: 'a request inside a tunnel is recorded once, the tunnel is not',
    url: 'http://partner.test/json',
    proxy: 'http://proxy.test:3128',
    ways: ['ProxyAgent'],
    expect: 'plain/j',
  },
  {
    title: 'CONNECT that opens a WebSocket is recorded at its head, as an upgrade is',
    url: 'http://partner.test/json',
    method: 'CONNECT',
    headers: { ':protocol': 'websocket' },
    ways: ['node:http2'],
    expect: 'plain/j',
  },
];

interface Program {
  readonly line: number;
  readonly undici: string;
  readonly isRun: (way: Way) => boolean;
}

const isUndici = (way: Way) => !/^(node:|fetch$)/.test(way);
const PROGRAMS: readonly Program[] = [
  ...NODE_LINES.map((line) => ({ line, undici: 'undici7', isRun: () => true })),
  { line: ownLine, undici: 'undici6', isRun: isUndici },
  { line: ownLine, undici: 'undici7-10', isRun: isUndici },
  { line: Math.max(22, ownLine), undici: 'undici8', isRun: isUndici },
];

describe(`the destination of a request, on ${linesInTitle}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-'));
  const partners = join(folder, 'partners.json');
  let server: AnsweringServer;
  before(async () => {
    writeFileSync(partners, JSON.stringify({ hosts: HOSTS }));
    server = await startAnswering();
  });
  after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  for (const { line, undici, isRun } of PROGRAMS) {
    const node = nodeOfLine(line);
    if (node === undefined) continue;
    describe(`Node ${line} with ${undici}`, () => {
      let app: ClientApp;
      let wanted = 0;
      before(async () => {
        app = await ClientApp.start({ node, client: undici, partners, program: 'destinations.js' });
      });
      after(() => app?.stop());

      for (const { title, ways, expect, ...order } of ROWS) {
        const own = ways.filter(isRun);
        if (own.length === 0) continue;
        it(title, async () => {
          const recorded: Record<string, readonly string[]> = {};
          let earlier = await app.metrics();
          for (const way of own) {
            const ports = { plain: way === 'node:http2' ? server.http2 : server.http1, secure: server.secure };
            assert.deepEqual(await app.call({ ...order, way, ports }), [null], way);
            const count = exchanges(earlier) + (expect === undefined ? 0 : 1);
            const later = await app.metricsWhen((metrics) => exchanges(metrics) >= count);
            recorded[way] = growth(earlier, later, PARTNER).map(
              ({ labels, count: times }) => `${labels.partner}/${labels.action_code}${times === 1 ? '' : ` ×${times}`}`,
            );
            earlier = later;
            wanted += expect === undefined ? 0 : 1;
          }
          const single = expect === undefined ? [] : [expect];
          assert.deepEqual(recorded, Object.fromEntries(own.map((way) => [way, single])));
        });
      }

      it('nothing else has been recorded', async () => {
        assert.equal(exchanges(await app.metrics()), wanted);
      });
    });
  }
});

/** `scrape` shows a running exporter, and stands everything that answers in its place. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type App, INNER, runApp } from '../../support/app';
import { runCommand } from '../../support/command';
import { ALICE, openEndpoint, portOf, TLS } from '../../support/endpoint';
import { freePort } from '../../support/waiting';

interface Report {
  readonly families: readonly {
    name: string;
    series: number;
    count: number;
    top: readonly { labels: Record<string, string>; value: number }[];
  }[];
}

describe('scrape', () => {
  let app: App;
  let port: string;

  before(async () => {
    app = await runApp('test/fixtures/apps/hello.js');
    for (let at = 0; at < 3; at++) await (await fetch(`http://127.0.0.1:${app.port}/x`)).text();
    await app.metricsWhen((seen) => seen.counts(INNER).some(({ count }) => count === 3));
    port = new URL(app.metricsUrl).port;
  });
  after(() => app.stop());

  it('shows every family of a running exporter', async () => {
    const { code, stdout } = await runCommand(['scrape', port]);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^http://localhost:${port}/metrics: \\d+ families, \\d+ series, \\d+ bytes$`, 'm'));
    assert.match(stdout, new RegExp(`^${INNER} +histogram +1 +3( +<100){3}$`, 'm'));
    const metrics = await app.metrics();
    for (const name of metrics.types.keys()) assert.match(stdout, new RegExp(`^${name} `, 'm'));
  });

  it('shows one family with its series, and their values as they are on the scrape', async () => {
    const { stdout, code } = await runCommand(['scrape', `localhost:${port}`, '--family', INNER, '--json']);
    assert.equal(code, 0);
    const { families } = JSON.parse(stdout) as Report;
    const metrics = await app.metrics();
    assert.deepEqual(
      families.flatMap(({ top }) => top.map(({ labels, value }) => ({ labels, count: value }))),
      metrics.counts(INNER),
    );
    const shown = await runCommand(['scrape', port, '--family', INNER]);
    assert.match(shown.stdout, /^ +3( +<100){3} {2}f_code="\S+" path="\/x" http_status="200" code="-1"$/m);
  });

  it('says which family is meant', async () => {
    const { code, stderr } = await runCommand(['scrape', port, '--family', 'partner_http_metric']);
    assert.equal(code, 1);
    assert.match(stderr, /no family "partner_http_metric"\. Did you mean partner_http_metrics\?/);
  });

  it('says that nothing listens', async () => {
    const { code, stderr } = await runCommand(['scrape', String(await freePort())]);
    assert.equal(code, 1);
    assert.match(stderr, /cannot be scraped: .*ECONNREFUSED/);
  });

  const answer = async (listener: RequestListener, args: readonly string[] = [], env = {}) => {
    const server: Server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
    try {
      return await runCommand(['scrape', address, ...args], { env });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  };

  it('sends name and password from a variable, and asks for them', async () => {
    const guarded: RequestListener = (request, response) => {
      const isRight = request.headers.authorization === `Basic ${Buffer.from('ann:s3cret').toString('base64')}`;
      response.writeHead(isRight ? 200 : 401).end('a 1\n');
    };
    const { code, stdout } = await answer(guarded, ['--user-from', 'SCRAPER'], { SCRAPER: 'ann:s3cret' });
    assert.equal(code, 0);
    assert.match(stdout, /^a +untyped +1/m);
    const refused = await answer(guarded);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /status 401.*--user-from/);
  });

  it('shows a running exporter behind TLS and a password, and nothing to whoever lacks one of them', async () => {
    const endpoint = await openEndpoint();
    try {
      const guarded = await endpoint.run(TLS + ALICE);
      const address = `https://localhost:${portOf(guarded)}/metrics`;
      const [ca, right, wrong] = [
        ['--ca', endpoint.authority.file],
        ['--user-from', 'SCRAPER'],
        ['--user-from', 'STRANGER'],
      ] as const;
      const env = { SCRAPER: 'alice:secret', STRANGER: 'alice:secre' };
      const scraped = await runCommand(['scrape', address, ...ca, ...right], { env });
      assert.equal(scraped.code, 0, scraped.stderr);
      assert.match(scraped.stdout, new RegExp(`^${address}: \\d+ families, \\d+ series, \\d+ bytes$`, 'm'));
      assert.match(scraped.stdout, /^channel_exporter_processes /m);
      for (const [args, says] of [
        [right, /cannot be scraped: .*certificate/],
        [ca, /status 401.*--user-from/],
        [[...ca, ...wrong], /status 401/],
        [['--ca', endpoint.client.cert, ...right], /cannot be scraped: .*certificate/],
      ] as const) {
        const refused = await runCommand(['scrape', address, ...args], { env });
        assert.match(refused.stderr, says);
        assert.doesNotMatch(refused.stdout + refused.stderr, /secret|channel_exporter_processes /);
        assert.notEqual(refused.code, 0);
      }
    } finally {
      await endpoint.end();
    }
  });

  for (const { name, listener, says } of [
    { name: 'a page', listener: (_: unknown, response) => response.end('<html>\n'), says: /is no scrape/ },
    { name: 'an empty answer', listener: (_: unknown, response) => response.end(), says: /no family/ },
    {
      name: 'a redirect',
      listener: (_: unknown, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      says: /status 302/,
    },
    {
      name: 'an answer that breaks off',
      listener: (_: unknown, response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('a 1\n', () => response.destroy());
      },
      says: /cannot be scraped/,
    },
    {
      name: 'an answer that does not end',
      listener: (_: unknown, response) => void response.write('a 1\n'),
      says: /no whole answer within 1 s/,
    },
    {
      name: 'a line without an end',
      listener: (_: unknown, response) => void response.write('a'.repeat(200_000)),
      says: /a line has more than 65536 characters/,
    },
    {
      name: 'more bytes than a scrape has',
      listener: (_: unknown, response) => {
        const lines = Buffer.from('# nothing but a remark that is repeated without an end\n'.repeat(20_000));
        const write = () => response.write(lines, (error) => error ?? write());
        write();
      },
      says: /more than 67108864 bytes/,
    },
  ] as { name: string; listener: RequestListener; says: RegExp }[]) {
    it(`refuses ${name}`, async () => {
      const { code, stderr } = await answer(listener, ['--timeout', name.includes('does not end') ? '1' : '60']);
      assert.match(stderr, says);
      assert.equal(code, 1);
    });
  }

  it('refuses what is no HTTP, whatever it says', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('\u001b]0;owned\u0007 HTTP/1.1\r\n\r\n');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { code, stderr } = await runCommand(['scrape', `127.0.0.1:${(server.address() as AddressInfo).port}`]);
    server.close();
    assert.equal(code, 1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.doesNotMatch(stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });

  it('lets no text of a scrape reach the terminal but as text', async () => {
    const hostile = '\u001b]0;owned\u0007\u009b2J\u202e';
    const text = `# HELP a ${hostile}\n# TYPE a ${hostile}\na{b="${hostile}\\n",c="${hostile}"} 1\n`;
    for (const args of [[], ['--family', 'a'], ['--json']]) {
      const { code, stdout } = await answer((_, response) => response.end(text), args);
      assert.equal(code, 0);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    }
  });
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type App, runApp } from '../support/app';
import { type Bundles, openBundles } from '../support/bundle';
import { FIXTURES } from '../support/paths';
import { until } from '../support/waiting';

const PROGRAM = join(FIXTURES, 'bundles/unseen.js');
/** An address of this machine that no broker listens on: the port has to be the usual one. */
const HOST = `127.${[process.pid >> 16, process.pid >> 8, process.pid].map((part) => 1 + (part & 127)).join('.')}`;
const LINE = /CHX_CLIENT_UNSEEN: connected to port 5672, while amqplib has not been loaded from node_modules/g;
/** Ten seconds are promised; a busy machine is late. */
const LIMIT_MS = 20_000;

const KAFKA_LINE = /CHX_CLIENT_UNSEEN: connected to port 9092, while kafkajs has not been loaded/g;

describe('a client that is in use and cannot be seen', () => {
  let bundles: Bundles;
  let broker: Server;
  let kafka: Server;
  let bundle: string;
  const sockets = new Set<Socket>();
  before(async () => {
    bundles = openBundles();
    bundle = await bundles.makeFrom('esbuild', PROGRAM, { minify: true });
    broker = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
    broker.listen(5672, HOST);
    await once(broker, 'listening');
    kafka = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
    kafka.listen(9092, HOST);
    await once(kafka, 'listening');
  });
  after(() => {
    for (const socket of sockets) socket.destroy();
    broker?.close();
    kafka?.close();
    bundles?.remove();
  });

  it('is reported once, and neither one that is loaded from node_modules nor one that was handed in', async () => {
    const run = (program: string, env: Record<string, string> = {}) =>
      runApp(program, { env: { BROKER_HOST: HOST, ...env } });
    const apps: App[] = [];
    try {
      apps.push(await run(bundle), await run(bundle, { OBSERVE: '1' }), await run(PROGRAM));
      apps.push(await run(bundle, { CONNECT_AFTER_MS: '8000' }));
      apps.push(await run(bundle, { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'amqplib' }));
      const [unseen, , , late] = apps;
      const lines = (app: App | undefined) => app?.stderr().match(LINE)?.length ?? 0;
      await until(() => lines(unseen) === 1, 'the client in the bundle is reported', LIMIT_MS);
      await until(() => lines(late) === 1, 'one that connects after the first look is reported', LIMIT_MS);
      assert.deepEqual(apps.map(lines), [1, 0, 0, 1, 0]);
    } finally {
      for (const app of apps) await app.stop();
    }
  });

  it('is not reported where another client of that broker has been seen', async () => {
    const run = (env: Record<string, string>) =>
      runApp('test/fixtures/apps/explained.js', { env: { BROKER_HOST: HOST, ...env } });
    const apps: App[] = [];
    try {
      apps.push(await run({ EXPLAINED: '1' }), await run({}));
      const lines = (app: App | undefined) => app?.stderr().match(KAFKA_LINE)?.length ?? 0;
      await until(() => lines(apps[1]) === 1, 'the one that nothing is known of is reported', LIMIT_MS);
      assert.deepEqual(apps.map(lines), [0, 1]);
      const isObserved = () => /observes .*platformatic-kafka/.test(apps[0]?.stderr() ?? '');
      await until(isObserved, 'the other one is observed', LIMIT_MS);
    } finally {
      for (const app of apps) await app.stop();
    }
  });
});

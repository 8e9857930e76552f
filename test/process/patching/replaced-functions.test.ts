/** Functions that are replaced under the preload look like those that they stand for. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { environment, nodeBinary } from '../../support/app';
import { FIXTURES, ROOT } from '../../support/paths';

const PROGRAMS = join(FIXTURES, 'patching');
const OURS = ['-r', 'channel-exporter/register'];
const PACKAGES = [
  'express',
  'express4',
  'router',
  'fastify',
  'koa',
  '@koa/router',
  '@hapi/hapi',
  'hono',
  'old-h3',
  'amqplib',
  'amqplib/callback_api',
  'amqplib010',
  'kafkajs',
  'bullmq',
  'bull',
  'mqtt',
  'nats',
  '@nats-io/transport-node',
  '@nats-io/jetstream',
  'rabbitmq-stream-js-client',
  'node-cron',
  'node-cron3',
  'cron',
  'prom-client',
];

function run(nodeArgs: readonly string[], script: string, args: readonly string[] = []): string {
  const options = { cwd: ROOT, env: environment(), encoding: 'utf8', timeout: 60_000 } as const;
  const child = spawnSync(nodeBinary(), [...nodeArgs, join(PROGRAMS, script), ...args], options);
  assert.equal(child.status, 0, child.stderr);
  return child.stdout;
}

/** One function of each kind that is to be among those found, so that the walk is known to reach them. */
const FOUND = [
  /^http\.request$/,
  /^http\.get$/,
  /^https\.request$/,
  /^https\.get$/,
  /^http\.ServerResponse\.prototype\.(write|end)$/,
  /^http2\.connect$/,
  /^http2\.createServer$/,
  /^module(\.\w+)*\.prototype\.load$/,
  /^express4\/.*\.use$/,
  /^router\/.*\.route$/,
  /^@hapi\/.*\._lookup$/,
  /^hono\/.*\.(add|mount)$/,
  /^amqplib\/.*\.ack$/,
  /^kafkajs\/.*\.consumer$/,
  /^bullmq\/.*\.callProcessJob$/,
  /^bull\/.*\.setHandler$/,
  /^mqtt\/.*\.emit$/,
  /^nats\/.*\.subscribe$/,
  /^@nats-io\/.*\.ackAck$/,
  /^rabbitmq-stream-js-client\/.*\.declareConsumer$/,
  /^node-cron3\/.*\.schedule$/,
  /^cron\/.*\.addCallback$/,
];

describe('a function that is replaced', () => {
  it('has every own property of the original, the marks of other agents among them', () => {
    const nodeArgs = ['-r', join(PROGRAMS, 'before.cjs'), ...OURS];
    const { replaced, differences } = JSON.parse(run(nodeArgs, 'packages.cjs', PACKAGES)) as Record<
      'replaced' | 'differences',
      string[]
    >;
    for (const pattern of FOUND)
      assert.ok(
        replaced.some((name) => pattern.test(name)),
        `${pattern} in ${replaced}`,
      );
    assert.deepEqual(differences, []);
  });

  it('is promisified as the original: util.promisify(http2.connect) gives the session', () => {
    assert.equal(run(OURS, 'promisified.cjs'), run([], 'promisified.cjs'));
  });
});

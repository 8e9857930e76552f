/** The log names what is observed as soon as it is, and not what could be. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { FIXTURES } from '../../support/paths';
import { type Program, startProgram } from '../../support/program';
import { freePort, until } from '../../support/waiting';

const PRELOAD = ['-r', 'channel-exporter/register'];
const LISTENS = "require('net').createServer().listen(0);";
/** Later than the start line, which the first listening brings. */
const later = (script: string) => `setTimeout(() => { ${script} }, 300);`;
const DONE = "console.log('done');";

async function logged(
  script: string | readonly string[],
  isOver: (program: Program) => boolean,
  env: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const program = startProgram({ args: [...PRELOAD, ...(typeof script === 'string' ? ['-e', script] : script)], env });
  try {
    await until(() => isOver(program), program.output);
    return program
      .stderr()
      .split('\n')
      .map((line) => /\bobserves (.*?)(?:; |$)/.exec(line)?.[1])
      .filter((names) => names !== undefined);
  } finally {
    await program.stop();
  }
}

const isDone = (program: Program) => program.stdout().includes('done') && program.stderr().includes('; observes ');

describe('the start line', () => {
  const cases: readonly [title: string, script: string, observed: string, env?: Readonly<Record<string, string>>][] = [
    ['names what Node itself has', '', 'http, undici, http2'],
    [
      'names a framework that is loaded, and none whose file has the same name',
      "require('express');",
      'http, undici, http2, express',
    ],
    [
      'names clients of message brokers that are loaded',
      "require('mqtt'); require('amqplib');",
      'http, undici, http2, amqplib, mqtt',
    ],
    ['names an application of Fastify', "require('fastify')();", 'http, undici, http2, fastify'],
    ['names monitored functions', "require('channel-exporter').monitor('a', () => 1);", 'http, undici, http2, monitor'],
    [
      'names nothing that is switched off',
      "require('express'); require('amqplib');",
      'undici, amqplib',
      { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'http,http2' },
    ],
    [
      'says that nothing is observed yet',
      "require('express');",
      'nothing yet',
      { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'amqplib' },
    ],
  ];
  for (const [title, script, observed, env] of cases) {
    it(title, async () => {
      assert.deepEqual(await logged(`${script}${LISTENS}${DONE}`, isDone, env), [observed]);
    });
  }
});

describe('what is loaded after the start line', () => {
  it('has a line of its own, once, also where there are two copies of it', async () => {
    const script = `${LISTENS}${later(`require('amqplib'); require('amqplib010'); require('kafkajs'); ${DONE}`)}`;
    assert.deepEqual(await logged(script, isDone), [
      'http, undici, http2',
      'amqplib from now on',
      'kafkajs from now on',
    ]);
  });

  it('has none where it is switched off', async () => {
    const script = `${LISTENS}${later(`require('amqplib'); ${DONE}`)}`;
    assert.deepEqual(await logged(script, isDone, { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'amqplib' }), [
      'http, undici, http2',
    ]);
  });

  it('has none in a member', async () => {
    const script = join(FIXTURES, 'lifecycle/late-member.js');
    // with port 0 each process would serve a scrape of its own
    const env = { CHANNEL_EXPORTER_PORT: String(await freePort()) };
    assert.deepEqual(await logged([script], isDone, env), ['http, undici, http2']);
  });
});

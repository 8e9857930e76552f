/** CHANNEL_EXPORTER_PORT that the application itself listens on: the application has it, whoever came first. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FIXTURES } from '../../support/paths';
import { ask, openWorld, PRELOAD, type Service, type World } from '../../support/service';
import { until } from '../../support/waiting';

const PROGRAM = `${FIXTURES}/exporter/own-port.js`;
const CODE = 'CHX_PORT_OF_APPLICATION';

async function withService(
  env: Readonly<Record<string, string>>,
  check: (service: Service, world: World) => Promise<void>,
): Promise<void> {
  const world = await openWorld();
  const service = world.start({ args: [...PRELOAD, PROGRAM], env: { PORT: String(world.port), ...env } });
  try {
    await check(service, world);
  } finally {
    await world.end();
  }
}

async function logged(service: Service, text: string): Promise<string> {
  await until(
    () => service.said(text).length > 0,
    () => `${text} is not logged: ${service.output()}`,
  );
  return service.said(text)[0] as string;
}

const CASES: readonly [what: string, env: Readonly<Record<string, string>>][] = [
  ['at once', {}],
  ['on one address', { HOST: '127.0.0.1' }],
  ['a tick after another server', { FIRST_USE: 'server', DELAY_MS: '1' }],
  ['later', { FIRST_USE: 'server', DELAY_MS: '700' }],
  ['on the address of a host name', { FIRST_USE: 'server', DELAY_MS: '700', HOST: 'localhost' }],
  ['in the tick in which a thread was started', { FIRST_USE: 'thread' }],
  ['after a call to a partner', { FIRST_USE: 'call', DELAY_MS: '700' }],
];

describe('a port that the application listens on', () => {
  for (const [what, env] of CASES) {
    it(`is the application's: it listens ${what}`, async () => {
      await withService(env, async (service, { port }) => {
        const [ready] = await service.ready(1);
        assert.equal(await ask(port, '/x'), 'application');
        const line = await logged(service, CODE);
        assert.match(line, new RegExp(`this very process \\(pid ${ready?.pid}\\) listens on port ${port}`));
        assert.match(line, /CHANNEL_EXPORTER_PORT to another one, or CHANNEL_EXPORTER_APP_METRICS=1/);
        assert.equal(service.said('CHX_').length, 1, service.output());
      });
    });
  }

  it('is named as its own also where it listened before the exporter was started', async () => {
    const world = await openWorld();
    const service = world.start({ args: [PROGRAM], env: { PORT: String(world.port), START: '1' } });
    try {
      const [ready] = await service.ready(1);
      // the holder of a port can be found on Linux alone
      const isNamed = process.platform === 'linux';
      const line = await logged(service, isNamed ? CODE : 'CHX_PORT_TAKEN');
      if (isNamed) assert.ok(line.includes(`this very process (pid ${ready?.pid})`), line);
      assert.equal(await ask(world.port, '/x'), 'application');
    } finally {
      await world.end();
    }
  });

  it('has the scrape where CHANNEL_EXPORTER_APP_METRICS asks for it', async () => {
    const env = { CHANNEL_EXPORTER_APP_METRICS: '1', FIRST_USE: 'server', DELAY_MS: '300' };
    await withService(env, async (service, { port, scrapeWhen, counted }) => {
      await service.ready(1);
      assert.equal(await ask(port, '/x'), 'application');
      assert.match(await logged(service, CODE), /or scrape \/metrics on the application's own port/);
      await scrapeWhen((metrics) => metrics.types.size > 0);
      await counted(1);
    });
  });

  it('serves the scrape while the application does not use it, with what has been measured', async () => {
    await withService({ AGAIN: '1' }, async (service, { port, counted }) => {
      await service.ready(1);
      assert.equal(await ask(port, '/x'), 'application');
      await logged(service, CODE);
      service.child.kill('SIGHUP');
      // its port is open for the first time
      await logged(service, 'observes');
      await counted(1);
      service.child.kill('SIGHUP');
      await service.ready(2);
      assert.equal(await ask(port, '/x'), 'application');
    });
  });

  for (const [what, execArgv] of [
    ['of a cluster whose primary is preloaded', PRELOAD],
    ['of a cluster', []],
  ] as const) {
    it(`is that of the workers ${what}`, async () => {
      const world = await openWorld();
      const env = { PORT: String(world.port), WORKERS: '2', DELAY_MS: '700', FIRST_USE: 'server' };
      const args = execArgv.length > 0 ? [...execArgv, PROGRAM] : [PROGRAM];
      const preload =
        execArgv.length > 0 ? {} : { NODE_OPTIONS: `--require ${require.resolve('channel-exporter/register')}` };
      const service = world.start({ args, env: { ...env, ...preload } });
      try {
        await service.ready(2);
        assert.equal(await ask(world.port, '/x'), 'application');
        await logged(service, CODE);
        assert.equal(service.said(CODE).length, 1, service.output());
        assert.doesNotMatch(service.output(), /failed/);
      } finally {
        await world.end();
      }
    });
  }
});

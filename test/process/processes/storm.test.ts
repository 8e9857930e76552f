/** Processes come and go while requests are sent and somebody scrapes all along: no increase is above the truth. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { INNER } from '../../support/app';
import { Increase } from '../../support/increase';
import { ask, openWorld, PRELOAD, PROGRAMS, type Service, send, stateOf, type World } from '../../support/service';

const PROCESSES = 'channel_exporter_processes';
const SERVICES = 4;
const ROUNDS = 6;
const REQUESTS = 25;

/** Scrapes until it is ended, about as often as it can. */
function scrapeAllAlong(world: World) {
  const increase = new Increase(INNER);
  let isOver = false;
  const loop = (async () => {
    while (!isOver) {
      await world.scrape().then(
        (metrics) => increase.take(metrics),
        () => undefined, // the port is between two hubs
      );
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  return {
    increase,
    async end() {
      isOver = true;
      await loop;
    },
  };
}

interface Running {
  readonly service: Service;
  readonly port: number;
}

describe('a scraper', () => {
  const STORMS = [
    { name: 'hubs are killed one after the other', isVictim: (seen: readonly Running[]) => seen.findIndex(isHub) },
    { name: 'members are killed one after the other', isVictim: (seen: readonly Running[]) => seen.length - 1 },
  ];
  let firstHub: Service | undefined;
  const isHub = ({ service }: Running) => service === firstHub || service.said('this one does so now').length > 0;

  for (const { name, isVictim } of STORMS) {
    it(`sees the truth while ${name}`, { timeout: 120_000 }, async () => {
      const world = await openWorld();
      const scraper = scrapeAllAlong(world);
      const running: Running[] = [];
      const settled = () =>
        world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === running.length - 1);
      const add = async () => {
        const service = world.start({ args: [...PRELOAD, `${PROGRAMS}/service.js`] });
        const [ready] = await service.ready(1);
        running.push({ service, port: (ready as { port: number }).port });
        await settled();
      };
      try {
        for (let i = 0; i < SERVICES; i++) await add();
        firstHub = running[0]?.service;
        for (let sent = REQUESTS * SERVICES; sent <= ROUNDS * REQUESTS * SERVICES; sent += REQUESTS * SERVICES) {
          await Promise.all(running.map(({ port }) => send(port, REQUESTS)));
          // what no scrape has seen dies with a hub, so all of it is seen before one dies
          await world.scrapeWhen(() => scraper.increase.total >= sent);
          assert.equal(scraper.increase.total, sent);
          const [dead] = running.splice(isVictim(running), 1);
          dead?.service.child.kill('SIGKILL');
          await settled();
          await add();
        }
      } finally {
        await scraper.end();
        await world.end();
      }
    });
  }

  it('sees no more than the truth while requests are sent and hubs are killed at any moment', {
    timeout: 120_000,
  }, async () => {
    const world = await openWorld();
    const scraper = scrapeAllAlong(world);
    let sent = 0;
    let isOver = false;
    try {
      const cluster = world.start({
        args: [`${PROGRAMS}/cluster.js`],
        env: { WORKERS: String(SERVICES), RESPAWN: '1', EXEC_ARGV: JSON.stringify(PRELOAD) },
      });
      const [ready] = await cluster.ready(SERVICES);
      assert.ok(ready);
      const sender = (async () => {
        while (!isOver) {
          // a request whose worker is killed may have been counted before
          sent++;
          await ask(ready.port, '/x').catch(() => undefined);
        }
      })();
      for (let round = 0; round < ROUNDS; round++) {
        const { length: known } = await cluster.ready(SERVICES + round);
        const { pid } = JSON.parse(await ask(ready.port, '/y')) as { pid: number };
        const { increase } = scraper;
        const seen = increase.total;
        await world.scrapeWhen(() => increase.total > seen);
        process.kill(pid, 'SIGKILL');
        await cluster.ready(known + 1);
        await world.scrapeWhen((metrics) => stateOf(metrics, PROCESSES, { state: 'member' }) === SERVICES - 1);
      }
      isOver = true;
      await sender;
      const { increase } = scraper;
      assert.ok(increase.total <= sent + ROUNDS, `${increase.total} of ${sent} and ${ROUNDS}`);
      assert.ok(increase.total > 0);
    } finally {
      isOver = true;
      await scraper.end();
      await world.end();
    }
  });
});

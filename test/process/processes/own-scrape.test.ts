/** A member that is scraped on its own port takes nothing away from the hub. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ask,
  countOf,
  openWorld,
  PRELOAD,
  PROGRAMS,
  type Service,
  send,
  stateOf,
  type World,
} from '../../support/service';

const PROCESSES = 'channel_exporter_processes';
const REQUESTS = 200;

interface Running {
  readonly service: Service;
  readonly port: number;
}

async function startAll(world: World, count: number): Promise<Running[]> {
  const running: Running[] = [];
  for (let i = 0; i < count; i++) {
    const service = world.start({
      args: [...PRELOAD, `${PROGRAMS}/own-scrape.js`],
      env: { CHANNEL_EXPORTER_APP_METRICS: '1' },
    });
    const [ready] = await service.ready(1);
    running.push({ service, port: (ready as { port: number }).port });
    await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === i);
  }
  return running;
}

/** Scrapes processes on their own ports, one scrape after the other. */
function scrapeAllAlong(ports: readonly number[], path: string) {
  const seen = { scrapes: 0, refusals: 0 };
  let isOver = false;
  const loops = ports.map(async (port) => {
    while (!isOver) {
      await ask(port, path).then(
        () => seen.scrapes++,
        () => seen.refusals++,
      );
    }
  });
  return {
    seen,
    async end() {
      isOver = true;
      await Promise.all(loops);
    },
  };
}

for (const path of ['/metrics', '/handler']) {
  describe(`members that are scraped at ${path} of their own`, () => {
    it("answer with the service's scrape, and the hub has every request", async () => {
      const world = await openWorld();
      const [hub, member] = await startAll(world, 2);
      assert.ok(hub && member);
      const scraper = scrapeAllAlong([member.port], path);
      try {
        await send(member.port, REQUESTS);
        const metrics = await world.counted(REQUESTS);
        assert.equal(countOf(metrics), REQUESTS);
        assert.match(await ask(hub.port, path), /^channel_exporter_processes\{.*state="member"\} 1$/m);
      } finally {
        await scraper.end();
        await world.end();
      }
      assert.ok(scraper.seen.scrapes > 0);
      assert.equal(scraper.seen.refusals, 0);
    });

    it('do so too while one of them becomes the hub', async () => {
      const world = await openWorld();
      const [hub, ...members] = await startAll(world, 4);
      assert.ok(hub);
      const ports = members.map(({ port }) => port);
      const scraper = scrapeAllAlong(ports, path);
      try {
        hub.service.child.kill('SIGKILL');
        await Promise.all(ports.map((port) => send(port, REQUESTS)));
        const metrics = await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === 2);
        const all = countOf(metrics) < REQUESTS * ports.length ? await world.counted(REQUESTS * ports.length) : metrics;
        assert.equal(countOf(all), REQUESTS * ports.length);
      } finally {
        await scraper.end();
        await world.end();
      }
    });
  });
}

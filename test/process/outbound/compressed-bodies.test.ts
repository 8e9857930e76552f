/**
 * What an application has to bear, with the preload and without it, when it is sent, or sends, bodies that are expensive to
 * decompress: a few bytes that become 64 MiB, and long ordinary ones.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type App, INNER, PARTNER, runApp } from '../../support/app';
import type { Metrics } from '../../support/metrics';
import { FIXTURES } from '../../support/paths';

const SCRIPT = join(FIXTURES, 'apps/compressed-bodies.js');
const UNREAD = 'channel_exporter_unread_bodies_total';
const LOAD_MS = 1_000;
const MIB = 1024 * 1024;

/** More than without the preload: the package, its series, and the few bodies that wait and are decompressed. */
const MORE_MEMORY_BYTES = 150 * MIB;
/** Times: other tests share the machine. An unbounded queue made it 400 times. */
const LONGER_ACCESS = 30;
/** What a few turns of a busy event loop take; without a bound, an access took 350 ms and more. */
const LOADED_MACHINE_MS = 50;
/** Of the calls without the preload; an unbounded queue left one in 17. */
const LEAST_CALLS = 1 / 10;

interface Watched {
  /** Median of the time that a file access took. */
  readonly statMs: number;
  /** The most there was. */
  readonly rss: number;
}

/** `unread`: why some are not read; `code`: of those that are. */
const BODIES: readonly { name: string; unread: 'window' | 'queue' | 'none'; code: string }[] = [
  { name: 'a window of 16 MiB', unread: 'window', code: '-1' },
  { name: 'a window of 4 MiB', unread: 'queue', code: '-1' },
  { name: 'an ordinary body of 4 MiB', unread: 'queue', code: 'A1' },
  { name: 'an ordinary body of 4 KiB', unread: 'none', code: 'A1' },
];

async function get<Result>(app: App, path: string): Promise<Result> {
  const response = await fetch(`http://127.0.0.1:${app.port}${path}`);
  return (await response.json()) as Result;
}

/** One program calls another one for a time. @returns how often, and what one of them has borne */
async function load(from: App, to: App, body: string, watched: App): Promise<Watched & { calls: number }> {
  await get(to, `/make?body=${encodeURIComponent(body)}`);
  await get(watched, '/watch');
  const path = `/call?ms=${LOAD_MS}&port=${to.port}&body=${encodeURIComponent(body)}`;
  const { calls } = await get<{ calls: number }>(from, path);
  return { calls, ...(await get<Watched>(watched, '/watch')) };
}

function unread(metrics: Metrics): Record<string, number> {
  return Object.fromEntries(metrics.counts(UNREAD).map(({ labels, count }) => [labels.reason, count]));
}

/** By code, of the requests or calls for a body. */
function codes(metrics: Metrics, family: string): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { labels, count } of metrics.counts(family)) {
    if (family === INNER && labels.path !== '/answer') continue;
    found[labels.code as string] = (found[labels.code as string] ?? 0) + count;
  }
  return found;
}

const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, count) => total + count, 0);

for (const { name, unread: reason, code } of BODIES) {
  describe(`${name}, 40 at a time`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-'));
    let other: App;
    let bare: App;
    let observed: App;
    before(async () => {
      other = await runApp(SCRIPT, { nodeArgs: [] });
      const file = join(folder, 'partners.json');
      const hosts = { [`127.0.0.1:${other.port}`]: { partner: '12', paths: { '/answer': '1201' } } };
      writeFileSync(file, JSON.stringify({ hosts }));
      bare = await runApp(SCRIPT, { nodeArgs: [] });
      observed = await runApp(SCRIPT, { env: { CHANNEL_EXPORTER_PARTNERS: file } });
    });
    after(async () => {
      for (const app of [other, bare, observed]) await app?.stop();
      rmSync(folder, { recursive: true });
    });

    function compare(without: Watched & { calls: number }, withPreload: Watched & { calls: number }): void {
      const seen = JSON.stringify({ without, withPreload });
      assert.ok(withPreload.rss - without.rss < MORE_MEMORY_BYTES, `memory: ${seen}`);
      assert.ok(withPreload.statMs < LONGER_ACCESS * without.statMs + LOADED_MACHINE_MS, `access to a file: ${seen}`);
      assert.ok(withPreload.calls > LEAST_CALLS * without.calls, `calls: ${seen}`);
    }

    /** All are counted, and each that was not read is. */
    async function check(family: string, bodies: number, before: Record<string, number>): Promise<void> {
      const metrics = await observed.metricsWhen((each) => sum(codes(each, family)) >= bodies);
      const found = codes(metrics, family);
      assert.equal(sum(found), bodies);
      const more = Object.entries(unread(metrics)).map(([each, count]) => [each, count - (before[each] ?? 0)]);
      const notRead = Object.fromEntries(more.filter(([, count]) => count !== 0)) as Record<string, number>;
      for (const each of Object.keys(notRead)) assert.equal(each, reason);
      if (reason === 'window') assert.equal(notRead.window, bodies);
      if (code !== '-1') assert.deepEqual(found['-1'] ?? 0, notRead.queue ?? 0);
    }

    it('from a partner', async () => {
      const without = await load(bare, other, name, bare);
      const before = unread(await observed.metrics());
      const withPreload = await load(observed, other, name, observed);
      compare(without, withPreload);
      await check(PARTNER, withPreload.calls, before);
    });

    it('in its own responses', async () => {
      const without = await load(other, bare, name, bare);
      const before = unread(await observed.metrics());
      const withPreload = await load(other, observed, name, observed);
      compare(without, withPreload);
      await check(INNER, withPreload.calls, before);
    });
  });
}

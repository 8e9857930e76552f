/** When the port of the scrape opens in a program that has no server: as soon as its own code calls the exporter. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SYSCODE } from '../../support/app';
import { parseMetrics } from '../../support/metrics';
import { FIXTURES } from '../../support/paths';
import { type Program, startProgram } from '../../support/program';
import { ask, PRELOAD } from '../../support/service';
import { freePort, until } from '../../support/waiting';

const PROGRAM = `${FIXTURES}/lifecycle/first-use.js`;
const OPEN_WITHIN_MS = 100;

interface Row {
  readonly way: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What the scrape shows of it. */
  readonly shows: RegExp;
}

const COUNTER = /^shop_orders_total 3$/m;
const FAMILIES = new RegExp(`^# TYPE ${SYSCODE}_inner_metrics histogram$`, 'm');
/** The application's global API is ours. */
const GLOBAL = { CHANNEL_EXPORTER_GLOBAL: 'on' };
const ROWS: readonly Row[] = [
  { way: 'start', args: [], shows: FAMILIES },
  { way: 'start', args: PRELOAD, shows: FAMILIES },
  { way: 'meter', args: PRELOAD, shows: COUNTER },
  { way: 'observable', args: PRELOAD, shows: COUNTER },
  { way: 'global', args: PRELOAD, env: GLOBAL, shows: COUNTER },
  { way: 'provider', args: PRELOAD, env: GLOBAL, shows: COUNTER },
  { way: 'instrument', args: PRELOAD, env: GLOBAL, shows: FAMILIES },
];

async function run({ way, args, env }: Omit<Row, 'shows'>, ...more: string[]): Promise<Program & { port: number }> {
  const port = await freePort();
  const variables = { CHANNEL_EXPORTER_PORT: String(port), ...env };
  return { ...startProgram({ args: [...args, PROGRAM, way, ...more], env: variables }), port };
}

/** @returns milliseconds until the port was open; -1 where it was not */
async function openAfter({ stdout, output }: Program): Promise<number> {
  const found = () => /^open (-?\d+)$/m.exec(stdout())?.[1];
  await until(() => found() !== undefined, output);
  return Number(found());
}

describe('a program without a server', () => {
  for (const row of ROWS) {
    const what = `${row.way}${row.args.length > 0 ? ', preloaded' : ''}`;

    it(`is scraped at once: ${what}`, async () => {
      const program = await run(row, 'stays');
      try {
        const tookMs = await openAfter(program);
        assert.ok(tookMs >= 0 && tookMs <= OPEN_WITHIN_MS, `${tookMs} ms; ${program.output()}`);
        const text = await ask(program.port, '/metrics');
        parseMetrics(text);
        assert.match(text, row.shows);
        await until(() => program.stderr().includes('; observes '), program.output);
      } finally {
        await program.stop();
      }
    });

    it(`ends when it has nothing left to do: ${what}`, async () => {
      const program = await run(row);
      assert.ok((await openAfter(program)) >= 0, program.output());
      const seen = performance.now();
      assert.deepEqual(await program.closed, { code: 0, signal: null });
      assert.ok(performance.now() - seen < 2_000);
    });
  }

  it('has no port open while it only runs under the preload', async () => {
    for (const env of [{}, GLOBAL]) {
      const program = await run({ way: 'nothing', args: PRELOAD, env }, 'stays');
      try {
        assert.equal(await openAfter(program), -1, program.output());
        assert.equal(program.output(), 'open -1\n');
      } finally {
        await program.stop();
      }
    }
  });
});

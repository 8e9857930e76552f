/** Span hooks beside the exporter: each body is read once, and what is read of it is on the span and on the scrape. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type App, INNER, PARTNER, runApp } from '../../support/app';
import { FIXTURES } from '../../support/paths';
import { until } from '../../support/waiting';

const FOLDER = join(FIXTURES, 'span-reading');
const { answer, SMALL_BYTES, CODE_LAST_BYTES } = require(join(FOLDER, 'bodies.js')) as {
  readonly answer: (name: string, response: unknown) => void;
  readonly SMALL_BYTES: number;
  readonly CODE_LAST_BYTES: number;
};
const COUNTING = ['-r', join(FOLDER, 'counting.cjs')];
const PRELOAD = ['-r', 'channel-exporter/register'];
const TRACING = ['-r', join(FIXTURES, 'span-instrumentations/tracing.cjs')];
const KINDS = { answer: 1, call: 2 } as const;

interface Reads {
  /** Texts that were decompressed at once; attempts that were not; texts in the background; bytes looked through. */
  readonly texts: number;
  readonly refused: number;
  readonly streams: number;
  readonly scanned: number;
}

interface Row {
  readonly name: string;
  readonly what: string;
  readonly code: string;
  /** On the span, where it cannot wait for the code. */
  readonly spanCode?: string;
  readonly reads: Partial<Reads>;
  readonly isUnrecorded?: boolean;
}

/** More than 8 KiB, and text of more than 128 KiB, are not decompressed at once as a whole. */
const ROWS: readonly Row[] = [
  { name: 'plain', what: 'plain text', code: 'A1', reads: { scanned: SMALL_BYTES } },
  { name: 'chunks', what: 'plain text in chunks', code: 'A1', reads: { scanned: SMALL_BYTES } },
  { name: 'gzip', what: 'gzip', code: 'A1', reads: { texts: 1 } },
  { name: 'deflate', what: 'deflate', code: 'A1', reads: { texts: 1 } },
  { name: 'br', what: 'Brotli', code: 'A1', reads: { texts: 1 } },
  { name: 'faulty', what: 'faulty gzip', code: '-1', reads: { refused: 1, scanned: 0 } },
  { name: 'missing', what: 'a 404', code: 'A1', reads: { texts: 1 }, isUnrecorded: true },
  { name: 'long', what: 'a long text whose code is in its first part', code: 'A1', reads: { texts: 1, refused: 1 } },
  {
    name: 'code-last',
    what: 'a body whose code is behind its first part: that is decompressed again, and not looked through again',
    code: 'A1',
    spanCode: '-1',
    reads: { texts: 1, streams: 1, scanned: CODE_LAST_BYTES },
  },
];

interface Observed {
  readonly reads: Reads;
  readonly spanCode: unknown;
  readonly label: string | undefined;
}

interface Setup {
  readonly app: App;
  observe(direction: keyof typeof KINDS, row: Row, isMeasured: boolean): Promise<Observed>;
}

async function withApp(env: Readonly<Record<string, string>>, check: (setup: Setup) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'chx-reading-'));
  const [spansFile, partners] = [join(folder, 'spans.jsonl'), join(folder, 'partners.json')];
  const partner = createServer((request, response) =>
    answer((request.url as string).split('/')[2] as string, response),
  );
  await once(partner.listen(0, '127.0.0.1'), 'listening');
  const host = `127.0.0.1:${(partner.address() as AddressInfo).port}`;
  const paths = Object.fromEntries(ROWS.map(({ name }) => [`/answer/${name}`, name]));
  writeFileSync(partners, JSON.stringify({ hosts: { [host]: { partner: '12', paths } } }));
  writeFileSync(spansFile, '');
  const app = await runApp(join(FOLDER, 'app.js'), {
    nodeArgs: [...COUNTING, ...PRELOAD, ...TRACING],
    env: { SPANS_FILE: spansFile, CHANNEL_EXPORTER_PARTNERS: partners, PARTNER: `http://${host}`, ...env },
  });
  const control = Number(/^control (\d+)$/m.exec(app.stdout())?.[1]);
  const spanOf = (kind: number, path: string) =>
    readFileSync(spansFile, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { kind: number; attributes: Readonly<Record<string, unknown>> })
      .find(
        ({ kind: of, attributes }) =>
          of === kind && String(attributes['url.path'] ?? attributes['url.full']).endsWith(path),
      );
  const observe: Setup['observe'] = async (direction, row, isMeasured) => {
    await readsAt(control);
    // not fetch, which fails where a body is not what its header says
    const request = get({ host: '127.0.0.1', port: app.port, path: `/${direction}/${row.name}`, agent: false });
    const [response] = await once(request, 'response');
    await once(response.resume(), 'close');
    await until(
      async () => spanOf(KINDS[direction], `/answer/${row.name}`) !== undefined,
      () => `no span: ${readFileSync(spansFile, 'utf8')}`,
    );
    let label: string | undefined;
    if (isMeasured) {
      const series = (metrics: Awaited<ReturnType<App['metrics']>>) =>
        direction === 'answer'
          ? metrics.counts(INNER).find(({ labels }) => labels.path === `/answer/${row.name}`)
          : metrics.counts(PARTNER).find(({ labels }) => labels.action_code === row.name);
      label = series(await app.metricsWhen((metrics) => series(metrics) !== undefined))?.labels.code;
    }
    const spanCode = spanOf(KINDS[direction], `/answer/${row.name}`)?.attributes['channel.code'];
    return { reads: await readsAt(control), spanCode, label };
  };
  try {
    await check({ app, observe });
  } finally {
    await app.stop();
    partner.close();
    partner.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function readsAt(control: number): Promise<Reads> {
  let text = '';
  const socket = connect(control, '127.0.0.1').setEncoding('utf8');
  for await (const part of socket) text += part;
  return JSON.parse(text) as Reads;
}

function assertReads({ reads }: Observed, expected: Partial<Reads>, what: string): void {
  const wanted = { texts: 0, refused: 0, streams: 0, scanned: reads.scanned, ...expected };
  assert.deepEqual(reads, wanted, what);
}

describe('a body beside the exporter', () => {
  it('is read once for its span and the metrics, which have the same code', async () => {
    await withApp({}, async ({ app, observe }) => {
      for (const direction of ['answer', 'call'] as const) {
        for (const row of ROWS) {
          const what = `${direction}: ${row.what}`;
          const isMeasured = direction === 'call' || row.isUnrecorded !== true;
          const observed = await observe(direction, row, isMeasured);
          assertReads(observed, row.reads, what);
          assert.equal(observed.spanCode, row.spanCode ?? row.code, what);
          if (isMeasured) assert.equal(observed.label, row.code, what);
        }
      }
      assert.doesNotMatch(app.stderr(), /CHX_/);
    });
  });

  it('is read by the hooks where the exporter does not read it', async () => {
    await withApp({ CHANNEL_EXPORTER_DISABLED_INSTRUMENTATIONS: 'http' }, async ({ observe }) => {
      for (const direction of ['answer', 'call'] as const) {
        for (const row of ROWS) {
          const what = `${direction}: ${row.what}`;
          const observed = await observe(direction, row, false);
          const { scanned, ...reads } = row.reads;
          assertReads(
            observed,
            row.spanCode === undefined ? { ...reads, ...(scanned && { scanned }) } : { texts: 1 },
            what,
          );
          assert.equal(observed.spanCode, row.spanCode ?? row.code, what);
        }
      }
    });
  });
});

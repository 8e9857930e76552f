/**
 * Proves a table of outbound calls (test/fixtures/outbound): each is made by a program with and without the preload,
 * which must see the same and send the same, and leaves exactly the measurements that its row expects.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type App, PARTNER, PARTNER_ERRORS, runApp } from './app';
import type { Metrics } from './metrics';
import { Partner, type PartnerAddresses } from './partner';
import { FIXTURES } from './paths';

/** A measurement that a call leaves; what is not said is as in {@link USUAL}. */
interface Expected {
  readonly partner: string;
  /** The answer whose path was called, where it is not the row's own: the later hop of a redirect. */
  readonly hop: string;
  readonly status: string;
  readonly code: string;
  readonly count: number;
  /** Word in partner_http_errors_total. */
  readonly error: string;
  /** Whether the path that was called is not in the directory. */
  readonly isUnknown: boolean;
}

interface Runtime {
  readonly hasZstd: boolean;
}

interface Row {
  readonly name: string;
  /** How the partner answers; see test/support/partner.ts. Default: json. */
  readonly answer?: string;
  /** Default: one usual measurement. */
  readonly expect?: Partial<Expected>[] | ((runtime: Runtime) => Partial<Expected>[]);
  /** Whether the request is given up before anybody can say what has been sent of it. */
  readonly isSentByChance?: boolean;
}

const USUAL: Expected = { partner: '12', hop: '', status: '200', code: '0', count: 1, error: '', isUnknown: false };
const OFFERED_HOPS = ['json', 'moved'];
const FAMILIES = [PARTNER, PARTNER_ERRORS];

/** Describes a table; `name` is that of its file. */
export function describeCalls(title: string, name: string): void {
  const rows = require(join(FIXTURES, `outbound/${name}.js`)) as Row[];
  assert.equal(new Set(rows.map((row) => row.name)).size, rows.length, 'names of rows are unique');

  describe(title, () => {
    const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-'));
    let partner: Partner;
    let observed: App;
    let bare: App;
    let runtime: Runtime;
    before(async () => {
      partner = await Partner.start();
      const file = join(folder, 'partners.json');
      writeFileSync(file, JSON.stringify(directory(rows, partner.addresses)));
      const env = {
        CHANNEL_EXPORTER_PARTNERS: file,
        CHANNEL_EXPORTER_LABEL_VALUES_LIMIT: '10000',
        NODE_EXTRA_CA_CERTS: join(FIXTURES, 'tls/partner.crt'),
      };
      const script = join(FIXTURES, 'apps/outbound.js');
      observed = await runApp(script, { env, args: [name] });
      bare = await runApp(script, { env, args: [name], nodeArgs: [] });
      runtime = (await post(observed, 'runtime', partner.addresses)) as Runtime;
    });
    after(async () => {
      await observed?.stop();
      await bare?.stop();
      partner?.stop();
      rmSync(folder, { recursive: true });
    });

    const wanted: string[] = [];
    for (const row of rows) {
      it(row.name, async () => {
        await partner.received();
        const expected = { seen: await post(bare, row.name, partner.addresses), sent: await partner.received() };
        const actual = { seen: await post(observed, row.name, partner.addresses), sent: await partner.received() };
        assert.deepEqual(actual.seen, expected.seen);
        if (!row.isSentByChance) assert.deepEqual(actual.sent, expected.sent);

        const series = expectedSeries(row, runtime);
        wanted.push(...series);
        const isThere = (metrics: Metrics) => series.every((text) => recorded(metrics).includes(text));
        const metrics = await observed.metricsWhen(isThere).catch(() => observed.metrics());
        const own = recorded(metrics).filter((text) => text.startsWith(`${row.name} / `) || series.includes(text));
        assert.deepEqual(own, series.sort());
      });
    }

    it('nothing else has been recorded, and nothing failed', async () => {
      const metrics = await observed.metrics();
      const all = recorded(metrics);
      const surplus = all.filter((text) => !wanted.includes(text));
      const missing = wanted.filter((text) => !all.includes(text));
      assert.deepEqual({ surplus, missing }, { surplus: [], missing: [] });
      const faults = ['channel_exporter_errors_total', 'channel_exporter_lost_measurements_total'];
      for (const { labels, count } of faults.flatMap((family) => metrics.counts(family))) {
        assert.equal(count, 0, JSON.stringify(labels));
      }
      const [, ...lines] = observed.stderr().trim().split('\n');
      // some rows call a partner's host on a port that the file does not have
      assert.deepEqual(
        lines.filter((line) => !line.includes('CHX_PARTNER_PORT')),
        [],
      );
      assert.equal(bare.stderr(), '');
    });
  });
}

/** Every path of the table, under each name that the calls use. */
function directory(rows: readonly Row[], { port, tlsPort }: PartnerAddresses) {
  const paths = Object.fromEntries(
    rows.flatMap(({ name, answer = 'json' }) => [
      ...OFFERED_HOPS.map((hop) => [path(hop, name), `${name} / ${hop}`]),
      [path(answer, name), `${name} / `],
    ]),
  );
  const host = (partner: string) => ({ partner, paths });
  return {
    hosts: {
      [`127.0.0.1:${port}`]: host('12'),
      [`partner.test:${port}`]: host('56'),
      [`partner.test:${tlsPort}`]: host('78'),
      [`other-name.test:${tlsPort}`]: host('78'),
      [`127.0.0.1:${tlsPort}`]: host('79'),
      'partner.test': host('34'),
      'bücher.test': host('67'),
      '[::1]': host('66'),
      '127.0.0.1:1': host('01'),
      'no-such-host.invalid': host('02'),
    },
  };
}

function path(answer: string, name: string): string {
  return `/${answer}/${encodeURI(name)}`;
}

async function post(app: App, name: string, addresses: PartnerAddresses): Promise<unknown> {
  const url = `http://127.0.0.1:${app.port}/${encodeURIComponent(name)}`;
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(addresses) });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text);
}

type Texted = Pick<Expected, 'partner' | 'status' | 'code' | 'count' | 'error'> & { readonly action: string };

/** A measurement as one text, led by the row it belongs to. */
function seriesText({ partner, action, status, code, count }: Texted): string {
  return `${action} partner=${partner} status=${status} code=${code} count=${count}`;
}

function errorText({ partner, action, error, count }: Texted): string {
  return `${action} partner=${partner} error=${error} count=${count}`;
}

function expectedSeries({ name, expect = [{}] }: Row, runtime: Runtime): string[] {
  const list = typeof expect === 'function' ? expect(runtime) : expect;
  return list.flatMap((each) => {
    const usual = each.error === undefined ? USUAL : { ...USUAL, status: '0', code: '-1' };
    const wanted = { ...usual, ...each, action: each.isUnknown ? '' : `${name} / ${each.hop ?? ''}` };
    return [seriesText(wanted), ...(wanted.error === '' ? [] : [errorText(wanted)])];
  });
}

/** Every measurement of partner calls in a scrape. */
function recorded(metrics: Metrics): string[] {
  const texts = FAMILIES.flatMap((family) =>
    metrics.counts(family).map(({ labels, count }) => {
      const { partner = '', action_code: action = '', http_status: status = '', code = '', error = '' } = labels;
      const text = family === PARTNER_ERRORS ? errorText : seriesText;
      return text({ partner, action, status, code, error, count });
    }),
  );
  return texts.sort();
}

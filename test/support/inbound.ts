/** Tables of inbound requests: what each is recorded as, and that its answer is byte for byte the one without us. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { type App, type AppOptions, INNER, PARTNER, runApp, SYSCODE } from './app';
import { growth, type Metrics } from './metrics';
import { CALLER, exchange, get, withoutDate } from './raw-http';

/** Labels of an observation; those left out have the values of a plain request without codes. */
export interface Observation {
  readonly path: string;
  readonly http_status?: string;
  readonly code?: string;
  readonly method_code?: string;
  readonly f_code?: string;
  readonly count?: number;
}

export interface InboundCase {
  readonly name: string;
  /** Requests as bytes, each sent in pieces on a connection of its own, or what else a client does. */
  readonly send: Buffer | readonly Buffer[] | ((port: number) => Promise<unknown>);
  readonly records: readonly Observation[];
  /** What the answer holds. */
  readonly answers?: string | RegExp;
}

/** A GET request: concrete path, template, code, and what else is not as usual. */
export type RouteRow = readonly [target: string, path: string, code: string, rest?: Partial<Observation>];

export function routeCase([target, path, code, rest]: RouteRow): InboundCase {
  return { name: `${target} is ${path}, ${code}`, send: get(target), records: [{ path, code, ...rest }] };
}

/** Every program of these tests answers it; it tells when what went before has been recorded. */
const MARKER_PATH = '/marker';
const MARKER_CALLER = 'marker';
const FAMILIES = [INNER, PARTNER, `${SYSCODE}_consumer_metrics`];
/** The tables have more values than a label takes by default. */
const LABEL_VALUES = '10000';

/**
 * Runs a table against a program under the preload and, for the bytes of its answers, without.
 * @param program its path, or what makes it before the first request
 * @param options `warning` is the one code that the exporter logs; by default it logs none
 */
export function inboundTable(
  program: string | (() => Promise<string>),
  cases: readonly InboundCase[],
  options: AppOptions & { tls?: boolean; warning?: string } = {},
) {
  let measured: App;
  let bare: App;
  before(async () => {
    const script = typeof program === 'string' ? program : await program();
    const env = { NODE_ENV: 'production', CHANNEL_EXPORTER_LABEL_VALUES_LIMIT: LABEL_VALUES, ...options.env };
    [measured, bare] = await Promise.all([
      runApp(script, { ...options, env }),
      runApp(script, { ...options, env, nodeArgs: [] }),
    ]);
  });
  after(async () => {
    await Promise.all([measured?.stop(), bare?.stop()]);
  });

  for (const { name, send, records, answers } of cases) {
    it(name, async () => {
      const [answer, plain] = await Promise.all([
        recorded(measured, () => sent(measured.port, send, options.tls), records, options.tls),
        sent(bare.port, send, options.tls),
      ]);
      assert.equal(answer, plain, 'the answer is the one without us');
      if (answers !== undefined) assert.match(answer, new RegExp(answers));
    });
  }

  const { warning } = options;
  it(`logs ${warning ?? 'nothing'} beyond the line at the start`, () => {
    const isWarning = (line: string) => warning !== undefined && line.includes(`${warning}: `);
    const lines = linesOf(measured.stderr());
    assert.deepEqual(
      lines.filter((line) => !isWarning(line)),
      linesOf(bare.stderr()),
    );
    assert.equal(lines.some(isWarning), warning !== undefined);
    assert.match(measured.stderr(), /^channel-exporter: \d/m);
  });
}

function linesOf(stderr: string): string[] {
  return stderr.split('\n').filter((line) => /^channel-exporter: /.test(line) && !/\bobserves /.test(line));
}

async function sent(port: number, send: InboundCase['send'], isTls = false): Promise<string> {
  if (typeof send === 'function') return String((await send(port)) ?? '');
  return withoutDate(await exchange(port, Buffer.isBuffer(send) ? [send] : send, isTls));
}

/** Does some work and asserts the complete growth of every family by it. */
export async function recorded<T>(
  app: App,
  work: () => Promise<T>,
  records: readonly Observation[],
  isTls = false,
): Promise<T> {
  const earlier = await app.metrics();
  const result = await work();
  await exchange(app.port, [get(MARKER_PATH, { 'User-Agent': MARKER_CALLER })], isTls);
  const expected = records.map(observed).sort(byText);
  const wanted = expected.reduce((sum, { count }) => sum + count, 0);
  const isThere = (metrics: Metrics) => {
    const grown = grownSeries(earlier, metrics);
    const own = grown.filter(({ labels }) => labels.f_code !== MARKER_CALLER);
    return own.length < grown.length && own.reduce((sum, { count }) => sum + count, 0) >= wanted;
  };
  // when they do not come, the difference says more than the wait
  const metrics = await app.metricsWhen(isThere).catch(() => app.metrics());
  const seen = grownSeries(earlier, metrics).filter(({ labels }) => labels.f_code !== MARKER_CALLER);
  assert.deepEqual(seen.sort(byText), expected);
  return result;
}

function grownSeries(earlier: Metrics, later: Metrics) {
  return FAMILIES.flatMap((family) => growth(earlier, later, family).map((series) => ({ family, ...series })));
}

function observed({ count = 1, ...labels }: Observation) {
  const all = { appid: SYSCODE.slice(0, 4), application: SYSCODE, f_code: CALLER, ...labels };
  return {
    family: INNER,
    labels: {
      ...all,
      http_status: all.http_status ?? '200',
      code: all.code ?? '-1',
      method_code: all.method_code ?? '',
    },
    count,
  };
}

function byText(a: object, b: object): number {
  return sortedText(a) < sortedText(b) ? -1 : 1;
}

function sortedText(series: object): string {
  const { labels = {} } = series as { labels?: object };
  return JSON.stringify(Object.entries(labels).sort());
}

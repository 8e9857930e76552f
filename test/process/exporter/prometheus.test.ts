/** What a real Prometheus makes of the scrape of the demo, beside that of a Python service. */
import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { INNER, nodeBinary, PARTNER } from '../../support/app';
import { type DebianProgram, findDebianProgram, reportNotRun } from '../../support/debian';
import { type Labels, type Metrics, parseMetrics } from '../../support/metrics';
import { ROOT } from '../../support/paths';
import { Prometheus } from '../../support/prometheus';

const PROMETHEUS: DebianProgram = { packages: ['prometheus'], program: 'usr/bin/prometheus' };
/** Time for the demo to have made its first round. */
const DEMO_LIMIT_MS = 30_000;
/** Values in the steady part of a rate need two scrapes with traffic between them. */
const RATE_LIMIT_MS = 40_000;

/** As the Python client writes it: labels in alphabetical order, floats everywhere, a family of creation times. */
const PYTHON_TEXT = pythonHistogram(PARTNER, { application: 'B000000001', appid: 'B000', code: '0' });

function pythonHistogram(family: string, labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  const boundaries = ['100.0', '200.0', '500.0', '800.0', '1000.0', '1500.0', '2000.0', '8000.0', '+Inf'];
  const buckets = boundaries.map((le, index) => `${family}_bucket{${[...pairs, `le="${le}"`]}} ${40 + index}.0`);
  const plain = `{${pairs}}`;
  return [
    `# HELP ${family} Duration`,
    `# TYPE ${family} histogram`,
    ...buckets,
    `${family}_count${plain} ${40 + boundaries.length - 1}.0`,
    `${family}_sum${plain} 4711.5`,
    `# HELP ${family}_created Duration`,
    `# TYPE ${family}_created gauge`,
    `${family}_created${plain} 1.7e+09`,
    '',
  ].join('\n');
}

/** Stands between Prometheus and the demo, and sees in which form each answer comes. */
interface Witness {
  readonly server: Server;
  readonly host: string;
  /** Content type and encoding of every answer. */
  readonly seen: Set<string>;
}

/** @param accept in place of what Prometheus asks for; undefined: as it asks */
async function witness(url: string, accept?: string): Promise<Witness> {
  const seen = new Set<string>();
  const server = createServer((request, response) => {
    const headers = { ...request.headers, ...(accept === undefined ? {} : { accept }) };
    get(url, { headers }, (answer: IncomingMessage) => {
      seen.add(`${answer.headers['content-type']}, ${answer.headers['content-encoding']}`);
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    }).on('error', () => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, seen, host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** One line per series: its name and its labels without those that Prometheus adds. */
function seriesKey(name: string, { job: _job, instance: _instance, __name__: _name, ...labels }: Labels): string {
  return `${name}${JSON.stringify(
    Object.entries(labels)
      .filter(([, value]) => value !== '')
      .sort(),
  )}`;
}

describe('a real Prometheus', () => {
  let demo: ChildProcessByStdio<null, Readable, null> | undefined;
  let metricsUrl: string;
  let python: Server | undefined;
  let asked: Witness | undefined;
  let plain: Witness | undefined;
  let program: string;
  let prometheus: Prometheus | undefined;
  let missing: string | undefined;

  before(async () => {
    const found = await findDebianProgram(PROMETHEUS);
    if ('missing' in found) {
      missing = found.missing;
      return;
    }
    program = found.path;
    metricsUrl = await startDemo();
    python = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/plain; version=0.0.4; charset=utf-8').end(PYTHON_TEXT);
    }).listen(0, '127.0.0.1');
    await once(python, 'listening');
    const { port } = python.address() as AddressInfo;
    metricsUrl = metricsUrl.replace('localhost', '127.0.0.1');
    asked = await witness(metricsUrl);
    plain = await witness(metricsUrl, 'text/plain');
    prometheus = await Prometheus.start(program, {
      demo: asked.host,
      plain: plain.host,
      python: `127.0.0.1:${port}`,
    });
  });

  after(async () => {
    await prometheus?.stop();
    for (const server of [python, asked?.server, plain?.server]) {
      server?.close();
      server?.closeAllConnections();
    }
    if (demo !== undefined && demo.exitCode === null && demo.kill('SIGTERM')) await once(demo, 'close');
  });

  async function startDemo(): Promise<string> {
    demo = spawn(nodeBinary(), [join(ROOT, 'examples/demo/demo.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    demo.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const until = Date.now() + DEMO_LIMIT_MS;
    while (!output.includes('Ctrl-C ends everything')) {
      if (demo.exitCode !== null || Date.now() > until) throw new Error(`the demo has not started:\n${output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return /^ {3}metrics +(\S+)$/m.exec(output)?.[1] ?? '';
  }

  async function scrape(): Promise<Metrics> {
    return parseMetrics(await (await fetch(metricsUrl)).text());
  }

  /** A check that needs Prometheus. */
  function check(title: string, work: (prometheus: Prometheus) => Promise<void>): void {
    it(title, async (t) => {
      if (prometheus === undefined) reportNotRun(t, missing ?? 'Prometheus has not started');
      else await work(prometheus);
    });
  }

  check('scrapes all targets', async (prometheus) => {
    await prometheus.when('both targets are up', async () => {
      const up = await prometheus.query('up == 1');
      return up.length === 3;
    });
  });

  check('has every series of the scrape, each once, with a value between two scrapes of ours', async (prometheus) => {
    const earlier = await scrape();
    const isNewer = `min(timestamp({job="demo",__name__="${INNER}_count"})) > ${Date.now() / 1000}`;
    await prometheus.when('it has scraped since', async () => (await prometheus.query(isNewer)).length > 0);
    const stored = await prometheus.query('{job="demo",__name__!~"up|scrape_.*"}');
    const later = await scrape();

    // what keeps the loop alive has other types at other moments
    const isSteady = (name = '') => name !== 'nodejs_active_resources';
    const keys = stored
      .filter(({ labels }) => isSteady(labels.__name__))
      .map(({ labels }) => seriesKey(labels.__name__ ?? '', labels));
    assert.equal(new Set(keys).size, keys.length, 'no series twice');
    const shown = earlier.samples.filter(({ name }) => isSteady(name));
    assert.deepEqual(keys.sort(), shown.map(({ name, labels }) => seriesKey(name, labels)).sort());
    const valuesOf = (metrics: Metrics) =>
      new Map(metrics.samples.map(({ name, labels, value }) => [seriesKey(name, labels), value]));
    const [low, high] = [valuesOf(earlier), valuesOf(later)];
    for (const { labels, value } of stored) {
      // gauges of the process rise and fall
      if (/^(nodejs_|process_(resident|virtual|open))/.test(labels.__name__ ?? '')) continue;
      const key = seriesKey(labels.__name__ ?? '', labels);
      const [from, to] = [low.get(key) ?? Number.NaN, high.get(key) ?? Number.NaN];
      assert.ok(from <= value && value <= to, `${key}: ${from} <= ${value} <= ${to}`);
    }
    const samples = await prometheus.query('scrape_samples_scraped{job="demo"}');
    assert.equal(samples[0]?.value, stored.length, 'as many samples were scraped as are stored');
    assert.ok(Math.abs(stored.length - earlier.samples.length) <= 5, 'as many as stand in the text');
  });

  check('asks for OpenMetrics and gets it, packed, with the series of the plain format', async (prometheus) => {
    const seriesOf = async (job: string) => {
      const stored = await prometheus.query(`{job="${job}",__name__!~"up|scrape_.*"}`);
      return stored.map(({ labels }) => seriesKey(labels.__name__ ?? '', labels)).sort();
    };
    let [openMetrics, text]: string[][] = [[], []];
    await prometheus.when('both have the same series', async () => {
      [openMetrics, text] = [await seriesOf('demo'), await seriesOf('plain')];
      return openMetrics.length > 0 && openMetrics.join() === text.join();
    });
    assert.deepEqual([...(asked?.seen ?? [])], ['application/openmetrics-text; version=1.0.0; charset=utf-8, gzip']);
    assert.deepEqual([...(plain?.seen ?? [])], ['text/plain; version=0.0.4; charset=utf-8, gzip']);
    const types = await prometheus.metadata('demo');
    assert.equal(types.get(INNER), 'histogram');
    assert.equal(types.get('partner_http_errors'), 'counter');
  });

  for (const family of [INNER, PARTNER]) {
    check(`answers histogram_quantile over ${family} with a finite number`, async (prometheus) => {
      const quantile = `histogram_quantile(0.95, sum by (le) (rate(${family}_bucket{job="demo"}[30s])))`;
      let value = Number.NaN;
      const isThere = async () => {
        value = (await prometheus.query(quantile))[0]?.value ?? Number.NaN;
        return Number.isFinite(value);
      };
      await prometheus.when(quantile, isThere, RATE_LIMIT_MS);
      assert.ok(value > 0 && value <= 8000, `${value} ms`);
    });
  }

  check('adds the buckets of a Python service and ours under one matcher of le', async (prometheus) => {
    // one moment for all questions, a little back, so that no scrape comes between; both have been scraped by then
    let at = 0;
    // ours are zero when they are scraped first
    await prometheus.when('both services have buckets', async () => {
      at = Date.now() / 1000 - 1;
      return (await prometheus.query(`sum by (job) (${PARTNER}_bucket{job!="plain",le="100.0"}) > 0`, at)).length === 2;
    });
    const sum = async (matchers: string) =>
      (await prometheus.query(`sum(${PARTNER}_bucket{${matchers}})`, at))[0]?.value ?? Number.NaN;
    for (const le of ['100.0', '1000.0', '+Inf']) {
      const [node, theirs, both] = [
        await sum(`le="${le}",job="demo"`),
        await sum(`le="${le}",job="python"`),
        await sum(`le="${le}",job!="plain"`),
      ];
      assert.ok(node > 0 && theirs > 0, `${node} and ${theirs} at ${le}`);
      assert.equal(both, node + theirs);
    }
    assert.deepEqual(await prometheus.query(`${PARTNER}_bucket{le="100"}`, at), []);
  });

  check('has nothing to say about the text when promtool checks it', async () => {
    const { text } = await scrape();
    const promtool = join(dirname(program), 'promtool');
    const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], { input: text, encoding: 'utf8' });
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });
  });
});

/**
 * A service of many processes: what its hub takes for a scrape and between scrapes, and how that grows. The hub is a process
 * under the preload; its members are made up in one other process (apps/members.js), so that two cores are enough.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { freePort, startProgram } from '../support/program.mjs';
import { startExporter } from '../support/series.mjs';
import { spread } from '../support/statistics.mjs';
import { grouped, spreadText, table } from '../support/tables.mjs';

/** Processes of the service, series of each, requests a second of all: from what a service may have, one thing at a time. */
const MOST = { members: 64, series: 5_000, perSecond: 20_000 };
const STEPS = {
  members: [4, 16, 64],
  series: [1_250, 5_000, 20_000],
  perSecond: [5_000, 20_000, 80_000],
};
const SECONDS = { full: 5, short: 2 };
const SCRAPES = { full: 9, short: 3 };
const SCRAPE_PAUSE_MS = 300;
/** One family alone is made up; the hub has a request of its own, which started it. */
const OWN_REQUESTS = 1;

export function sections({ length, rounds = SCRAPES[length] }) {
  const points = Object.entries(STEPS).flatMap(([what, steps]) => steps.map((step) => ({ ...MOST, [what]: step })));
  const all = new Map(points.map((point) => [nameOf(point), point]));
  return [...all].map(([name, point]) => [name, () => measurePoint(point, SECONDS[length], rounds)]);
}

const nameOf = ({ members, series, perSecond }) => `${members}-${series}-${perSecond}`;

async function measurePoint({ members, series, perSecond }, seconds, scrapes) {
  const port = await freePort();
  const { program: hub, scrapeUrl } = await startExporter('channel-exporter', ['--expose-gc'], {
    CHANNEL_EXPORTER_PORT: String(port),
  });
  let made;
  try {
    await fetch(`${hub.url}/api/own`);
    made = await startProgram('apps/members.js', {
      args: [port, members, series, perSecond].map(String),
      role: 'load',
    });
    const beforeBytes = await hub.ask('usedBytes');
    await made.ask('join');
    await scrape(scrapeUrl);
    const { busy } = await watch(hub, () => pause(seconds * 1000));
    const samples = [];
    for (let n = 0; n < scrapes; n++) {
      const { wallMs, cpuMs } = await watch(hub, () => scrape(scrapeUrl));
      samples.push({ wallMs, cpuMs });
      await pause(SCRAPE_PAUSE_MS);
    }
    const sent = await made.ask('end');
    const text = await scrape(scrapeUrl);
    const counted = sumOf(text, /_inner_metrics_count\{/) - OWN_REQUESTS;
    return {
      wallMs: spread(samples.map(({ wallMs }) => wallMs)),
      cpuMs: spread(samples.map(({ cpuMs }) => cpuMs)),
      busy,
      megabytes: ((await hub.ask('usedBytes')) - beforeBytes) / 1e6,
      bytes: Buffer.byteLength(text),
      late: sumOf(text, /^channel_exporter_late_deltas_total/),
      missing: sent - counted,
    };
  } finally {
    await made?.stop();
    await hub.stop();
  }
}

/** @returns time on the wall, CPU time of a program, and its share of a core, while something is done */
async function watch(program, work) {
  const [beforeMs, startedMs] = [program.cpuMs(), performance.now()];
  await work();
  const wallMs = performance.now() - startedMs;
  const cpuMs = program.cpuMs() - beforeMs;
  return { wallMs, cpuMs, busy: cpuMs / wallMs };
}

async function scrape(url) {
  const response = await fetch(url, { headers: { 'accept-encoding': 'identity' } });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`the scrape answered ${response.status}: ${text}`);
  return text;
}

function sumOf(text, sample) {
  const lines = text.split('\n').filter((line) => !line.startsWith('#') && sample.test(line));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

export function tables(results) {
  const head = [
    'processes, series, requests/s',
    'scrape, ms',
    'its CPU, ms',
    'between scrapes',
    'heap, MB',
    'late',
    'lost',
  ];
  const points = [...results.keys()]
    .map((name) => name.split('-').map(Number))
    .sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
  const rows = points.map((point) => {
    const { wallMs, cpuMs, busy, megabytes, late, missing } = results.get(point.join('-')).data;
    const share = `${(100 * busy).toFixed(1)} % of a core`;
    return [
      point.map((each) => grouped(each)).join(', '),
      spreadText(wallMs, 0),
      spreadText(cpuMs, 0),
      share,
      grouped(megabytes, 1),
      grouped(late),
      grouped(missing),
    ];
  });
  return [table(head, rows), ...slopes(results)];
}

/** How much each further one takes, by the line through the three points that differ in it alone (least squares). */
function slopes(results) {
  const units = { members: [1, 'process'], series: [1_000, '1,000 series'], perSecond: [1_000, '1,000 requests/s'] };
  const rows = Object.entries(STEPS).flatMap(([what, steps]) => {
    const found = steps.map((step) => [step, results.get(nameOf({ ...MOST, [what]: step }))?.data]);
    if (found.some(([, data]) => data === undefined)) return [];
    const [unit, name] = units[what];
    const of = (figure, digits) => (unit * slope(found.map(([step, data]) => [step, figure(data)]))).toFixed(digits);
    return [
      [
        `each further ${name}`,
        of(({ wallMs }) => wallMs.median, 2),
        of(({ cpuMs }) => cpuMs.median, 2),
        `${of(({ busy }) => 100 * busy, 3)} %`,
        of(({ megabytes }) => megabytes, 3),
      ],
    ];
  });
  if (rows.length === 0) return [];
  return [table(['slope', 'scrape, ms', 'its CPU, ms', 'between scrapes', 'heap, MB'], rows)];
}

/** @param {[number, number][]} points. @returns the rise of the line that is nearest to them */
function slope(points) {
  const sum = (of) => points.reduce((total, point) => total + of(point), 0);
  const [x, y] = [sum(([at]) => at) / points.length, sum(([, value]) => value) / points.length];
  return sum(([at, value]) => (at - x) * (value - y)) / sum(([at]) => (at - x) ** 2);
}

// What Prometheus needs for the series of a fleet: memory, CPU time and bytes of a scrape, by the number of series.
//
//   node benchmarks/prometheus-memory.mjs --prometheus /usr/bin/prometheus
//   node benchmarks/prometheus-memory.mjs --series 48000,960000 --interval 15 --scrapes 5
//
// A server poses as many services. Each has 300 label sets of <SYSCODE>_inner_metrics with the standard boundaries, as the
// exporter writes them, and a third of them grow between two scrapes. A real Prometheus with an empty data folder scrapes
// them all; a new one is started for each number of series. It is ended before it takes more than 60 % of the memory that
// was available at the start. The figures are in docs/deployment.md.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';

const { values: options } = parseArgs({
  options: {
    prometheus: { type: 'string', default: 'prometheus' },
    series: { type: 'string', default: '48000,240000,480000,960000' },
    /** Seconds between two scrapes of a service. */
    interval: { type: 'string', default: '15' },
    /** Scrapes of each service before it is measured. */
    scrapes: { type: 'string', default: '8' },
  },
});

const LABEL_SETS = 300;
const BOUNDARIES = [100, 200, 500, 800, 1000, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 8000];
/** Buckets with +Inf, sum and count. */
const LINES = BOUNDARIES.length + 3;
const SERIES_OF_SERVICE = LABEL_SETS * LINES;
const MEMORY_PART = 0.6;
const START_LIMIT_MS = 30_000;
const LOOK_EVERY_MS = 200;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The lines of a service without their values: 60 routes with 5 codes each, with some 125 characters of labels. */
function linesOf(syscode) {
  return Array.from({ length: LABEL_SETS }, (_, index) => {
    const route = `/api/v1/resource-${index % 60}/:id`;
    const labels =
      `appid="${syscode.slice(0, 4)}",application="${syscode}",f_code="okhttp/4.12.0",path="${route}",` +
      `http_status="200",code="${Math.floor(index / 60)}",method_code=""`;
    const family = `${syscode}_inner_metrics`;
    const buckets = [...BOUNDARIES.map((boundary) => `${boundary}.0`), '+Inf'];
    return [
      `${family}_count{${labels}}`,
      `${family}_sum{${labels}}`,
      ...buckets.map((le) => `${family}_bucket{${labels},le="${le}"}`),
    ];
  });
}

/** Serves `/<number>/metrics` for each service, and counts scrapes and bytes. */
async function openFleet(services) {
  const texts = Array.from({ length: services }, (_, number) =>
    linesOf(`A${String(123_000_000 + number).padStart(9, '0')}`),
  );
  const scrapes = new Array(services).fill(0);
  const bytes = { plain: 0, sent: 0, scrapes: 0 };
  const server = createServer((request, response) => {
    const number = Number(request.url.split('/')[1]);
    const round = scrapes[number]++;
    const family = `A${String(123_000_000 + number).padStart(9, '0')}_inner_metrics`;
    let text = `# HELP ${family} Duration of inbound HTTP requests.\n# TYPE ${family} histogram\n`;
    for (const [index, lines] of texts[number].entries()) {
      // a third grows by some requests a second, most of them in the first buckets
      const count = 100 + (index % 3 === 0 ? round * (20 + (index % 50)) : 0);
      for (const [line, name] of lines.entries()) {
        const value =
          line === 0 ? count : line === 1 ? count * 37.25 + index / 7 : Math.round(count * (1 - 0.1 / line));
        text += `${name} ${value}\n`;
      }
    }
    const packed = gzipSync(text, { level: 1 });
    bytes.plain += text.length;
    bytes.sent += packed.length;
    bytes.scrapes++;
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4', 'content-encoding': 'gzip' }).end(packed);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: server.address().port, scrapes, bytes, close: () => server.close() };
}

/** Starts a Prometheus that scrapes them all. */
async function startPrometheus(fleet, services) {
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-memory-'));
  const targets = Array.from({ length: services }, (_, number) => ({
    targets: [`127.0.0.1:${fleet.port}`],
    labels: { __metrics_path__: `/${number}/metrics`, instance: `service-${number}` },
  }));
  const interval = `${options.interval}s`;
  const config = {
    global: { scrape_interval: interval, scrape_timeout: interval },
    scrape_configs: [{ job_name: 'channel', static_configs: targets }],
  };
  // JSON is YAML
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
  const port = await freePort();
  const flags = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ];
  const child = spawn(options.prometheus, flags, { stdio: ['ignore', 'ignore', 'inherit'] });
  await once(child, 'spawn');
  const url = `http://127.0.0.1:${port}`;
  const until = Date.now() + START_LIMIT_MS;
  while (
    !(await fetch(`${url}/-/ready`).then(
      (answer) => answer.ok,
      () => false,
    ))
  ) {
    if (Date.now() > until) throw new Error('Prometheus does not answer');
    await pause(LOOK_EVERY_MS);
  }
  return {
    child,
    async own(name) {
      const text = await (await fetch(`${url}/metrics`)).text();
      return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

const statusOf = (pid, key) =>
  Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

function availableBytes() {
  return Number(/^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024;
}

/** One row: so many services until each has been scraped so often. */
async function measure(services, limitBytes) {
  const fleet = await openFleet(services);
  const prometheus = await startPrometheus(fleet, services);
  let cpuFrom = 0;
  let sinceMs = 0;
  try {
    while (Math.min(...fleet.scrapes) < Number(options.scrapes)) {
      if (statusOf(prometheus.child.pid, 'VmRSS') > limitBytes) return { isOverLimit: true };
      // the first scrapes create the series, and are not what it costs to keep them
      if (cpuFrom === 0 && Math.min(...fleet.scrapes) >= 2) {
        cpuFrom = await prometheus.own('process_cpu_seconds_total');
        sinceMs = Date.now();
      }
      await pause(LOOK_EVERY_MS);
    }
    const cpu = (await prometheus.own('process_cpu_seconds_total')) - cpuFrom;
    const { pid } = prometheus.child;
    return {
      head: await prometheus.own('prometheus_tsdb_head_series'),
      rssBytes: statusOf(pid, 'VmRSS'),
      peakBytes: statusOf(pid, 'VmHWM'),
      cores: cpu / ((Date.now() - sinceMs) / 1000),
      plain: fleet.bytes.plain / fleet.bytes.scrapes,
      sent: fleet.bytes.sent / fleet.bytes.scrapes,
    };
  } finally {
    await prometheus.stop();
    fleet.close();
  }
}

const limitBytes = availableBytes() * MEMORY_PART;
console.log(`at most ${(limitBytes / 2 ** 30).toFixed(1)} GiB; a service has ${SERIES_OF_SERVICE} series`);
console.log('| services | series | resident | highest | a series | cores | a scrape | compressed |');
console.log('|---|---|---|---|---|---|---|---|');
for (const wanted of options.series.split(',').map(Number)) {
  const services = Math.round(wanted / SERIES_OF_SERVICE);
  const row = await measure(services, limitBytes);
  if (row.isOverLimit) {
    console.log(`${services} services take more memory than that; nothing larger is tried`);
    break;
  }
  const gib = (bytes) => `${(bytes / 2 ** 30).toFixed(2)} GiB`;
  const cells = [
    services,
    row.head.toLocaleString('en'),
    gib(row.rssBytes),
    gib(row.peakBytes),
    `${(row.peakBytes / row.head / 1000).toFixed(1)} kB`,
    row.cores.toFixed(2),
    `${(row.plain / 1000).toFixed(0)} kB`,
    `${(row.sent / 1000).toFixed(0)} kB`,
  ];
  console.log(`| ${cells.join(' | ')} |`);
}

/** Replays the recorded behaviour of the original over real sockets. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { environment, nodeBinary, SYSCODE, UNCOMPRESSED } from '../support/app';
import { growth, type Labels, type Metrics, parseMetrics } from '../support/metrics';
import { FIXTURES, ROOT } from '../support/paths';

type Body =
  | null
  | { text: string }
  | { base64: string }
  | { parts: ({ text: string } | { repeat: string; count: number })[] };
interface Answer {
  status: number;
  headers: [string, string][];
  body: Body;
}
interface Series {
  family: string;
  labels: Labels;
  count: number;
}
interface Case {
  id: string;
  area: string;
  expected: Series[];
}
interface InnerCase extends Case {
  kind: 'inner';
  request: { method: string; path: string; query: string | null; headers: [string, string][]; body: Body };
  handler: Answer;
}
interface PartnerCase extends Case {
  kind: 'partner';
  request: { method: string; url: string; options: { params?: Record<string, string> }; body: Body };
  partner_config: Record<string, { partner: string | number; paths: Record<string, string | number> }>;
  partner_server: Record<string, Answer>;
}

const CASES: (InnerCase | PartnerCase)[] = JSON.parse(readFileSync(join(FIXTURES, 'conformance/vectors.json'), 'utf8'));
const FAMILIES = [`${SYSCODE}_inner_metrics`, 'partner_http_metrics', `${SYSCODE}_consumer_metrics`];
/** Cases that share one process; the recorded codes together are more than a label's values by default. */
const LABEL_VALUES = '10000';

function bytes(body: Body): Buffer {
  if (body === null) return Buffer.alloc(0);
  if ('text' in body) return Buffer.from(body.text);
  if ('base64' in body) return Buffer.from(body.base64, 'base64');
  return Buffer.concat(
    body.parts.map((part) => Buffer.from('text' in part ? part.text : part.repeat.repeat(part.count))),
  );
}

/** The application under the preload, told by messages what to answer and whom to call. */
class Application {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
    private readonly metricsUrl: string,
  ) {}

  static async start(env: Record<string, string>): Promise<Application> {
    const child = fork(join(FIXTURES, 'apps/conformance.js'), {
      cwd: ROOT,
      execPath: nodeBinary(),
      execArgv: ['-r', 'channel-exporter/register'],
      env: environment({ CHANNEL_EXPORTER_LABEL_VALUES_LIMIT: LABEL_VALUES, ...env }),
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    const ready = once(child, 'message');
    const [startLine] = await once(child.stderr as NodeJS.ReadableStream, 'data');
    const metricsUrl = /(http:\/\/\S+\/metrics);/.exec(String(startLine))?.[1];
    assert.ok(metricsUrl, `the start-up line names the scrape: ${startLine}`);
    const [{ port }] = (await ready) as [{ port: number }];
    return new Application(child, port, metricsUrl);
  }

  async tell(message: object): Promise<void> {
    this.child.send(message);
    await once(this.child, 'message');
  }

  async metrics(): Promise<Metrics> {
    const response = await fetch(this.metricsUrl, UNCOMPRESSED);
    return parseMetrics(await response.text());
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await once(this.child, 'close');
  }
}

/** Sends a request byte for byte and waits for the whole answer. */
async function sendRaw(port: number, { request }: InnerCase): Promise<void> {
  const target = request.path + (request.query === null ? '' : `?${request.query}`);
  const headers = request.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const socket = connect(port, '127.0.0.1');
  socket.write(Buffer.from(`${request.method} ${target} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`, 'latin1'));
  socket.write(bytes(request.body));
  socket.resume();
  await once(socket, 'close');
}

/** The series that grew, as the recorded cases write them: empty labels left out. */
function grown(before: Metrics, after: Metrics): Series[] {
  return FAMILIES.flatMap((family) =>
    growth(before, after, family).map(({ labels, count }) => ({ family, labels: withoutEmpty(labels), count })),
  );
}

function withoutEmpty(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''));
}

async function assertGrows(application: Application, work: () => Promise<void>, expected: Series[]): Promise<void> {
  const earlier = await application.metrics();
  await work();
  const wanted = expected.map((series) => ({ ...series, labels: withoutEmpty(series.labels) }));
  let seen: Series[] = [];
  // a packed body is decompressed before it is recorded, shortly after the client has it
  for (let attempt = 0; attempt < 50; attempt++) {
    seen = grown(earlier, await application.metrics());
    if (seen.length >= wanted.length) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.deepEqual(seen, wanted);
}

describe('recorded inbound requests', () => {
  let application: Application;
  before(async () => {
    application = await Application.start({});
  });
  after(() => application.stop());

  for (const each of CASES) {
    if (each.kind !== 'inner') continue;
    it(`${each.area}: ${each.id}`, async () => {
      const { status, headers, body } = each.handler;
      await application.tell({ answer: { status, headers, body: bytes(body).toString('base64') } });
      await assertGrows(application, () => sendRaw(application.port, each), each.expected);
    });
  }
});

describe('recorded partner calls', () => {
  let partner: Server;
  let port: string;
  let answers: Record<string, Answer> = {};
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'channel-exporter-'));
    partner = createServer((request, response) => {
      const path = (request.url ?? '').split('?')[0] as string;
      const answer = answers[path] ?? answers['*'] ?? { status: 404, headers: [], body: null };
      request.resume();
      response.statusCode = answer.status;
      for (const [name, value] of answer.headers) response.setHeader(name, value);
      response.end(bytes(answer.body));
    }).listen(0, '127.0.0.1');
    await once(partner, 'listening');
    port = String((partner.address() as AddressInfo).port);
  });
  after(() => {
    partner.close();
    rmSync(folder, { recursive: true });
  });

  // cases that share a directory share a process
  const byConfig = new Map<string, PartnerCase[]>();
  for (const each of CASES) {
    if (each.kind !== 'partner') continue;
    const key = JSON.stringify(each.partner_config);
    byConfig.set(key, [...(byConfig.get(key) ?? []), each]);
  }
  let number = 0;
  for (const [config, cases] of byConfig) {
    describe(`directory ${++number}`, () => {
      let application: Application;
      before(async () => {
        const file = join(folder, `partners-${cases[0]?.id}.json`);
        writeFileSync(file, JSON.stringify({ hosts: JSON.parse(config.replaceAll('{PORT}', port)) }));
        application = await Application.start({ CHANNEL_EXPORTER_PARTNERS: file });
      });
      after(() => application.stop());
      for (const each of cases) {
        it(`${each.area}: ${each.id}`, async () => {
          answers = each.partner_server;
          const params = new URLSearchParams(each.request.options.params ?? {}).toString();
          const plain = each.request.url.replace('{PORT}', port);
          const url = params === '' ? plain : `${plain}${plain.includes('?') ? '&' : '?'}${params}`;
          const body = each.request.body === null ? null : bytes(each.request.body).toString('base64');
          const call = { method: each.request.method, url, body };
          await assertGrows(application, () => application.tell({ call }), each.expected);
        });
      }
    });
  }
});

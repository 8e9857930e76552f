/** Honest callers: so many requests a second, of three kinds in turn, each of which must be answered and counted. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { INNER, PARTNER, SYSCODE } from '../support/app';
import type { Metrics } from '../support/metrics';

/** Part of the path of each kind, with the family that counts its work beside the requests. */
export const KINDS = ['file', 'call', 'message'] as const;
type Kind = (typeof KINDS)[number];

export const HONEST_CALLER = 'honest/1';
export const PARTNER_CODE = '91';
export const ACTION_CODE = '9101';
const TOPIC = 'honest';
const CONSUMER = `${SYSCODE}_consumer_metrics`;
const REQUESTS_PER_SECOND = 30;
const ANSWER_LIMIT_MS = 30_000;
/** Connections to each process. */
const CONNECTIONS = 6;
/** Requests under way at a time; a service that is slower gets fewer. */
const UNDER_WAY_LIMIT = 100;

/** A partner that answers at once, and counts. */
export interface HonestPartner {
  readonly host: string;
  received(): number;
  close(): void;
}

export async function startHonestPartner(): Promise<HonestPartner> {
  let received = 0;
  const server = http.createServer((_, response) => {
    received++;
    response.end('{"code":"00"}');
  });
  server.keepAliveTimeout = 120_000;
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: () => received,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

export class HonestLoad {
  readonly sent: Record<Kind, number> = { file: 0, call: 0, message: 0 };
  /** Milliseconds of each request that was sent under attack and answered. */
  readonly latencies: number[] = [];
  /** Of these, how many each process has answered, by its pid. */
  readonly answeredBy = new Map<number, number>();
  /** Why requests were not answered with 200. */
  readonly failures: string[] = [];
  /**
   * An agent for each connection, by the process that it leads to. Each process answers its share: an agent of several
   * connections prefers the last one, so that one process would be measured, attacked by chance more or less than the other.
   */
  private readonly agents = new Map<number, http.Agent[]>();
  private readonly underWay = new Set<Promise<unknown>>();

  constructor(private readonly port: number) {}

  /** Sends every kind until each process has answered each: its series are there before any attack, and so are connections. */
  async meetEvery(processes: number): Promise<void> {
    for (const kind of KINDS) {
      const pids = new Set<number | undefined>();
      for (let round = 0; round < 100 && pids.size < processes; round++) pids.add(await this.send(kind, false));
      if (pids.size < processes) throw new Error(`${kind} was answered by ${pids.size} processes`);
    }
    for (let round = 0; round < 100; round++) {
      if ([...this.agents.values()].filter(({ length }) => length === CONNECTIONS).length === processes) return;
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      const pid = (await this.send('file', agent)) ?? 0;
      const known = this.agents.get(pid) ?? [];
      if (known.length < CONNECTIONS) this.agents.set(pid, [...known, agent]);
      else agent.destroy();
    }
    throw new Error(`not every process has ${CONNECTIONS} connections`);
  }

  /** Sends at the rate for so long, and waits for the answers. */
  async run(ms: number): Promise<void> {
    const startedMs = performance.now();
    let requests = 0;
    while (performance.now() - startedMs < ms) {
      for (; requests < ((performance.now() - startedMs) / 1000) * REQUESTS_PER_SECOND; requests++) {
        if (this.underWay.size >= UNDER_WAY_LIMIT) continue;
        const answer = this.send(KINDS[requests % KINDS.length] as Kind, this.agentFor(requests), this.latencies);
        this.underWay.add(answer);
        answer.finally(() => this.underWay.delete(answer));
      }
      await new Promise((resolve) => setTimeout(resolve, 1000 / REQUESTS_PER_SECOND));
    }
    await Promise.all(this.underWay);
  }

  end(): void {
    for (const agent of [...this.agents.values()].flat()) agent.destroy();
  }

  /** The processes in turn, whatever the kind, and of each the connections in turn. */
  private agentFor(request: number): http.Agent {
    const agents = [...this.agents.values()];
    const turn = Math.floor(request / KINDS.length);
    const ofProcess = agents[turn % agents.length] as http.Agent[];
    return ofProcess[Math.floor(turn / agents.length) % ofProcess.length] as http.Agent;
  }

  /**
   * @param agent false for a connection of its own
   * @param latencies to which its time is added
   * @returns the pid of the process that has answered; undefined when none has
   */
  private send(kind: Kind, agent: http.Agent | false, latencies?: number[]): Promise<number | undefined> {
    const id = ++this.sent[kind];
    const startedMs = performance.now();
    return new Promise((resolve) => {
      const failed = (reason: string) => {
        this.failures.push(`${kind}: ${reason}`);
        resolve(undefined);
      };
      const options = { host: '127.0.0.1', port: this.port, path: `/honest/${kind}/${id}` };
      const headers = { 'User-Agent': HONEST_CALLER };
      const outgoing = http.get({ ...options, headers, agent }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('error', (error) => failed(error.message));
        response.on('end', () => {
          if (response.statusCode !== 200) return failed(`${response.statusCode} ${text}`);
          latencies?.push(performance.now() - startedMs);
          const { pid } = JSON.parse(text) as { pid: number };
          if (latencies !== undefined) this.answeredBy.set(pid, (this.answeredBy.get(pid) ?? 0) + 1);
          resolve(pid);
        });
      });
      outgoing.setTimeout(ANSWER_LIMIT_MS, () => outgoing.destroy(new Error('no answer in time')));
      outgoing.on('error', (error) => failed(error.message));
    });
  }
}

/** What the honest callers have caused, or what was counted of it. */
export type Counts = Readonly<
  Record<'requests to /file' | 'requests to /call' | 'requests to /message' | 'calls' | 'messages', number>
>;

export function sentCounts({ sent }: HonestLoad, partner: HonestPartner): Counts {
  return {
    'requests to /file': sent.file,
    'requests to /call': sent.call,
    'requests to /message': sent.message,
    calls: partner.received(),
    messages: sent.message,
  };
}

export function countedOf(metrics: Metrics): Counts {
  const count = (family: string, wanted: Readonly<Record<string, string>>) =>
    metrics
      .counts(family)
      .filter(({ labels }) => Object.entries(wanted).every(([name, value]) => labels[name] === value))
      .reduce((sum, each) => sum + each.count, 0);
  const inner = (kind: Kind) =>
    count(INNER, { path: `/honest/${kind}/:id`, f_code: HONEST_CALLER, http_status: '200', code: '0' });
  return {
    'requests to /file': inner('file'),
    'requests to /call': inner('call'),
    'requests to /message': inner('message'),
    calls: count(PARTNER, { partner: PARTNER_CODE, action_code: ACTION_CODE, http_status: '200', code: '00' }),
    messages: count(CONSUMER, { topic: TOPIC, code: '0' }),
  };
}

/** What a client of an application does, and all that it gets: the same on both sides, or something is altered. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { Agent, type IncomingMessage, request } from 'node:http';
import type { Readable } from 'node:stream';

/** Of those who ask as a person would; the load and the clients of an application have their own. */
export const USER_AGENT = 'person';
export const LOAD_AGENT = 'load';
/** Longer bodies are compared by their digests. */
const MAX_TEXT_BYTES = 256 * 1024;
const ANSWER_LIMIT_MS = 60_000;
const COMMAND_LIMIT_MS = 120_000;

export interface Answer {
  readonly title: string;
  /** Of HTTP, or the exit code of a command. */
  readonly status: number | string;
  /** As they came: name, value, name, value. */
  readonly headers: readonly string[];
  readonly body: string;
}

export interface Asked {
  /** Method and path. */
  readonly request: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Readable;
}

/** Asks over a connection of its own. */
export async function exchange(port: number, { request: line, headers = {}, body }: Asked): Promise<Answer> {
  const [method = 'GET', path = '/'] = line.split(' ');
  const response = await send({ port, method, path, headers: { 'user-agent': USER_AGENT, ...headers } }, body);
  return {
    title: line,
    status: response.statusCode as number,
    headers: response.rawHeaders,
    body: await read(response),
  };
}

/** Runs a command of a client. Its title is what was typed; its body what it wrote on stdout. */
export function command(title: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Answer> {
  const [program = '', ...rest] = title.split(' ');
  return new Promise((resolve) => {
    const options = { cwd, env, timeout: COMMAND_LIMIT_MS };
    execFile(program, [...rest, ...args], options, (error, stdout, stderr) => {
      const body = error === null ? stdout : `${stdout}${stderr}`;
      resolve({ title, status: String(error?.code ?? 0), headers: [], body });
    });
  });
}

/** Sends so many GETs of one path over a few connections that are kept. */
export async function sendLoad(port: number, path: string, requests: number, connections = 8): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let left = requests;
  const sender = async () => {
    while (left-- > 0) {
      const response = await send({ port, method: 'GET', path, headers: { 'user-agent': LOAD_AGENT }, agent });
      for await (const _ of response);
      if (response.statusCode !== 200) throw new Error(`${path} answered ${response.statusCode} under load`);
    }
  };
  await Promise.all(Array.from({ length: connections }, sender)).finally(() => agent.destroy());
}

interface Sent {
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly agent?: Agent;
}

function send({ agent, ...options }: Sent, body?: string | Readable): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', agent: agent ?? false, timeout: ANSWER_LIMIT_MS, ...options });
    outgoing.once('response', resolve).once('error', reject);
    outgoing.once('timeout', () => outgoing.destroy(new Error(`${options.method} ${options.path}: no answer`)));
    if (body === undefined || typeof body === 'string') outgoing.end(body);
    else body.on('error', reject).pipe(outgoing);
  });
}

async function read(response: IncomingMessage): Promise<string> {
  const hash = createHash('sha256');
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
      if (bytes <= MAX_TEXT_BYTES) chunks.push(chunk);
    }
  } catch (error) {
    return `cut off: ${(error as NodeJS.ErrnoException).code}`;
  }
  return bytes <= MAX_TEXT_BYTES ? Buffer.concat(chunks).toString() : `${bytes} bytes ${hash.digest('hex')}`;
}

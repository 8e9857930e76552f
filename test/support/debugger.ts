/** The little of a debugger that tests need: the inspector protocol over a WebSocket, which Node 20 has no client of. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: unknown;
}

export interface Debugger {
  /** Calls a method of the protocol and gives back its result. */
  call(method: string, params?: object): Promise<unknown>;
  /** Waits for the next event of that name. */
  event(method: string): Promise<unknown>;
  close(): void;
}

const TEXT_FRAME = 0x81;
const MASKED = 0x80;
const LENGTH_IN_2_BYTES = 126;
const LENGTH_IN_8_BYTES = 127;

/** @param url as Node says it on stderr: ws://host:port/id */
export async function attach(url: string): Promise<Debugger> {
  const headers = {
    connection: 'upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': Buffer.alloc(16).toString('base64'),
  };
  const request = get(url.replace('ws:', 'http:'), { headers });
  const [, socket] = (await once(request, 'upgrade')) as [IncomingMessage, Socket];
  const waiting = new Map<number | string, (value: unknown) => void>();
  let bytes: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    for (let frame = readFrame(bytes); frame !== undefined; frame = readFrame(bytes)) {
      bytes = bytes.subarray(frame.end);
      const { id, method, ...rest } = JSON.parse(frame.text) as Message;
      const key = id ?? method ?? '';
      waiting.get(key)?.(rest.result);
      waiting.delete(key);
    }
  });
  const answerTo = (key: number | string) => new Promise((resolve) => waiting.set(key, resolve));
  let lastId = 0;
  return {
    call(method, params = {}) {
      const id = ++lastId;
      socket.write(frameOf(JSON.stringify({ id, method, params })));
      return answerTo(id);
    },
    event: answerTo,
    close: () => socket.destroy(),
  };
}

/** A mask of zeros leaves the text as it is. */
function frameOf(text: string): Buffer {
  const payload = Buffer.from(text);
  const head = Buffer.from([TEXT_FRAME, MASKED | LENGTH_IN_2_BYTES, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}

function readFrame(bytes: Buffer): { text: string; end: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes[1] as number;
  const start = short === LENGTH_IN_8_BYTES ? 10 : short === LENGTH_IN_2_BYTES ? 4 : 2;
  if (bytes.length < start) return undefined;
  const length = start === 10 ? Number(bytes.readBigUInt64BE(2)) : start === 4 ? bytes.readUInt16BE(2) : short;
  const end = start + length;
  return bytes.length < end ? undefined : { text: bytes.toString('utf8', start, end), end };
}

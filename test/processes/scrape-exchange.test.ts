/** A member takes a scrape from a hub as whole as it was sent, or not at all. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { encodeFrame, FrameDecoder, PROTOCOL_VERSION } from '../../src/processes/protocol';
import { ScrapeFetcher, sendScrape } from '../../src/processes/scrape-exchange';

const FORM = { format: 'text', isCompressed: false } as const;
const TYPE = { 'Content-Type': 'text/plain' };

let folder: string;
let path: string;
let server: Server;
let questions: number;
let answer: (socket: Socket) => void;
const fetcher = () => new ScrapeFetcher({ type: 'scrape', version: PROTOCOL_VERSION, syscode: 'A123010101' });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'chx-'));
  path = join(folder, 'hub.sock');
  questions = 0;
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    const decoder = new FrameDecoder();
    socket.on('data', (bytes) => {
      for (const _ of decoder.push(bytes)) {
        questions++;
        answer(socket);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
});

afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const scraped = (bytes: number) => encodeFrame({ type: 'scraped', headers: TYPE, bytes });

describe('a scrape from the hub', () => {
  it('is what the hub has, and one for all who ask at the same time', async () => {
    const chunks = Array.from({ length: 200 }, (_, index) => Buffer.alloc(index * 1_000, index));
    answer = (socket) => void sendScrape(socket, FORM, async () => ({ headers: TYPE, chunks }));
    const asked = fetcher();
    const bodies = await Promise.all([1, 2, 3].map(() => asked.fetch(path, FORM)));
    for (const { headers, chunks: arrived } of bodies) {
      assert.deepEqual(headers, TYPE);
      assert.ok(Buffer.concat(arrived).equals(Buffer.concat(chunks)));
    }
    assert.equal(questions, 1);
    await asked.fetch(path, FORM);
    assert.equal(questions, 2);
  });

  it('may be empty, and may come byte by byte', async () => {
    const pieces = [scraped(3), Buffer.from('abc')];
    answer = async (socket) => {
      for (const byte of Buffer.concat(pieces)) {
        socket.write(Buffer.of(byte));
        await new Promise(setImmediate);
      }
    };
    assert.equal(Buffer.concat((await fetcher().fetch(path, FORM)).chunks).toString(), 'abc');
    pieces.splice(0, 2, scraped(0));
    assert.equal((await fetcher().fetch(path, FORM)).chunks.length, 0);
  });

  const FAULTS: readonly [title: string, answer: (socket: Socket) => void, reason: RegExp][] = [
    [
      'a hub that has none',
      (socket) => void sendScrape(socket, FORM, async () => assert.fail('the queue is gone')),
      /the queue is gone/,
    ],
    [
      'a hub that ends too early',
      (socket) => socket.end(Buffer.concat([scraped(9), Buffer.from('abc')])),
      /was closed/,
    ],
    ['a hub that sends more', (socket) => socket.end(Buffer.concat([scraped(2), Buffer.from('abc')])), /more than/],
    ['a hub that says too much', (socket) => socket.end(scraped(2 ** 40)), /no scrape/],
    ['another message', (socket) => socket.end(encodeFrame({ type: 'ack', number: 1 })), /no scrape/],
    ['a head without end', (socket) => socket.end(Buffer.from([0x7f, 0, 0, 0, 1])), /a frame of/],
    ['another protocol', (socket) => socket.end('HTTP/1.1 200 OK'), /a frame of/],
    ['nothing', (socket) => socket.end(), /was closed/],
  ];
  for (const [title, wrong, reason] of FAULTS) {
    it(`is not taken from ${title}`, async () => {
      answer = wrong;
      await assert.rejects(fetcher().fetch(path, FORM), reason);
    });
  }

  it('is not there where no hub is', async () => {
    await assert.rejects(fetcher().fetch(join(folder, 'none.sock'), FORM), /has ended/);
  });
});

/** A member and a hub that reads its batches, but acknowledges them only when the test says so. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { Deltas } from '../../src/metrics/deltas';
import { Member } from '../../src/processes/member';
import { ACK_LIMIT_MS, WINDOW_BYTES } from '../../src/processes/outbox';
import { encodeFrame, FrameDecoder, type MemberMessage } from '../../src/processes/protocol';
import { until } from '../support/waiting';

/** Of what is handed over at once; two of them fit one after the other into any window. */
const SERIES = 100;
const HAND_OVERS = 50;

let folder: string;
let path: string;
let server: Server;
let peer: Socket | undefined;
/** Whether the hub acknowledges each batch when it arrives. */
let isAnswering: boolean;
let numbers: number[];
let bytes: number;
let collections: number;
let losses: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'chx-'));
  path = join(folder, 'hub.sock');
  isAnswering = false;
  numbers = [];
  bytes = 0;
  collections = 0;
  losses = 0;
  server = createServer((socket) => {
    peer = socket.on('error', () => undefined);
    const decoder = new FrameDecoder();
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      for (const message of decoder.push(chunk) as Iterable<MemberMessage>) {
        if (message.type === 'hello') socket.write(encodeFrame({ type: 'welcome', pid: 1 }));
        if (message.type !== 'batch') continue;
        numbers.push(message.number);
        if (isAnswering) acknowledge(message.number, message.number);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
});

afterEach(() => {
  mock.timers.reset();
  peer?.destroy();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

function createMember(): Member {
  const deltas = (): Deltas => {
    collections++;
    const series = Array.from({ length: SERIES }, (_, index) => ({ values: [`/${collections}/${index}`], add: 1 }));
    return [{ family: 'requests', labels: ['path'], series }];
  };
  const source = {
    collect: async () => [],
    take: deltas,
    takeNow: deltas,
  };
  return new Member('A123010101', source, () => {
    losses++;
  });
}

const acknowledge = (from: number, to: number) => {
  for (let number = from; number <= to; number++) peer?.write(encodeFrame({ type: 'ack', number }));
};

const inOrder = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** One turn of the loop while timers are mocked; a time slice waits for one without delay. */
async function nextTurn(): Promise<void> {
  await new Promise(setImmediate);
  mock.timers.tick(0);
}

describe('a member whose hub acknowledges nothing', () => {
  it('sends batches ahead up to its window, leaves the rest in the instruments, and goes on with the acks', async () => {
    const member = createMember();
    assert.equal(await member.connect(path), 'member');
    const handOvers = Array.from({ length: HAND_OVERS }, () => member.handOver());
    await until(async () => bytes > WINDOW_BYTES, 'the window is not used');
    await new Promise((resolve) => setTimeout(resolve, 100));
    const ahead = numbers.length;
    assert.ok(bytes < 2 * WINDOW_BYTES, `${bytes} bytes`);
    assert.equal(collections, ahead, 'nothing is taken that cannot be sent');
    assert.ok(ahead < HAND_OVERS);

    isAnswering = true;
    acknowledge(1, ahead);
    await Promise.all(handOvers);
    assert.deepEqual(numbers, inOrder(HAND_OVERS), 'each batch once, in order');
    assert.deepEqual(await member.takeQueue(), []);
    member.close();
    assert.equal(losses, 0);
  });

  it('leaves it after 30 seconds, and hands the same batches to the next one under their numbers', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const member = createMember();
    assert.equal(await member.connect(path), 'member');
    const handOvers = [member.handOver(), member.handOver()];
    while (numbers.length < 2) await nextTurn();
    mock.timers.tick(ACK_LIMIT_MS - 1);
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    assert.equal(losses, 0);
    mock.timers.tick(1);
    await Promise.all(handOvers);
    while (losses === 0) await nextTurn();
    assert.equal(ACK_LIMIT_MS, 30_000);

    assert.equal(await member.connect(path), 'member');
    while (numbers.length < 4) await nextTurn();
    assert.deepEqual(numbers, [1, 2, 1, 2]);
    acknowledge(1, 2);
    await member.takeQueue();
    member.close();
    assert.equal(losses, 1);
  });

  it('does not leave a hub that acknowledges one batch after the other', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const member = createMember();
    assert.equal(await member.connect(path), 'member');
    const handOvers = [member.handOver(), member.handOver()];
    while (numbers.length < 2) await nextTurn();
    mock.timers.tick(ACK_LIMIT_MS - 1);
    acknowledge(1, 1);
    await handOvers[0];
    mock.timers.tick(ACK_LIMIT_MS - 1);
    acknowledge(2, 2);
    await handOvers[1];
    mock.timers.tick(ACK_LIMIT_MS);
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    assert.equal(losses, 0);
    member.close();
  });
});

/** A member that ends while it splits what it has taken: all of it goes out, once and in its order. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, mock } from 'node:test';
import type { FamilyDelta } from '../../src/metrics/deltas';
import { Outbox } from '../../src/processes/outbox';
import { FrameDecoder } from '../../src/processes/protocol';
import { TimeSlice } from '../../src/runtime/time-slice';
import { until } from '../support/waiting';

/** In less than the kernel's buffer of a socket, and in several batches. */
const SERIES = 900;

const numbered = (from: number, count: number): FamilyDelta => ({
  family: 'orders',
  labels: ['number'],
  series: Array.from({ length: count }, (_, index) => ({ values: [`${from + index}`.padStart(40, '0')], add: 1 })),
});

it('hands over what is split and what is not, of a process that ends between two batches', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'chx-'));
  const got: { readonly number: number; readonly deltas: readonly FamilyDelta[] }[] = [];
  const server = createServer((socket) => {
    const decoder = new FrameDecoder();
    socket.on('data', (bytes) => got.push(...(decoder.push(bytes) as Iterable<(typeof got)[number]>)));
  });
  server.listen(join(folder, 'hub.sock'));
  await once(server, 'listening');
  const socket = connect(join(folder, 'hub.sock'));
  t.after(() => {
    mock.restoreAll();
    socket.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });
  await once(socket, 'connect');
  // the first slice ends after its first batch
  mock.method(TimeSlice.prototype, 'isOver', () => true);
  const outbox = new Outbox();
  void outbox.add([numbered(0, SERIES)]);
  outbox.sendLast(socket, [numbered(SERIES, 1)]);
  const values = () => got.flatMap(({ deltas }) => deltas.flatMap(({ series }) => series.map((row) => row.values[0])));
  await until(
    async () => values().length > SERIES,
    () => `${values().length} series`,
  );
  assert.deepEqual(
    values().map(Number),
    Array.from({ length: SERIES + 1 }, (_, index) => index),
  );
  assert.deepEqual(
    got.map(({ number }) => number),
    got.map((_, index) => index + 1),
  );
  assert.ok(got.length > 3, `${got.length} batches`);
});

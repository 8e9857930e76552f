/** What hub and members say to each other, in pieces, wrong and fuzzed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  encodeFrame,
  FrameDecoder,
  hubMessage,
  MAX_FRAME_BYTES,
  type MemberMessage,
  memberMessage,
  PROTOCOL_VERSION,
  ProtocolError,
} from '../../src/processes/protocol';
import { Random } from '../support/random';

const HELLO: MemberMessage = {
  type: 'hello',
  version: PROTOCOL_VERSION,
  syscode: 'A123010101',
  member: 'm',
  pid: 1,
  isThread: false,
};
const HISTOGRAM = {
  family: 'h',
  labels: ['path'],
  boundaries: [100, 200],
  series: [{ values: ['/ä'], count: 3, sum: 1.5, buckets: [1, 0, 2] }],
};
const COUNTER = { family: 'c', labels: [], series: [{ values: [], add: 2 }] };
const BATCH: MemberMessage = { type: 'batch', number: 1, deltas: [HISTOGRAM, COUNTER] };

describe('frames', () => {
  const bytes = Buffer.concat([encodeFrame(HELLO), encodeFrame(BATCH), encodeFrame({ type: 'collected', id: 7 })]);
  const whole = [HELLO, BATCH, { type: 'collected', id: 7 }];

  for (const size of [1, 2, 3, 5, 64, bytes.length]) {
    it(`are read from pieces of ${size} bytes`, () => {
      const decoder = new FrameDecoder();
      const read: unknown[] = [];
      for (let i = 0; i < bytes.length; i += size) read.push(...decoder.push(bytes.subarray(i, i + size)));
      assert.deepEqual(read, whole);
    });
  }

  const REFUSED = [
    { name: 'of no length', bytes: Buffer.from([0, 0, 0, 0]) },
    { name: 'that are too long, before they are held', bytes: Buffer.from([0xff, 0xff, 0xff, 0xff]) },
    { name: 'that are no JSON', bytes: Buffer.concat([Buffer.from([0, 0, 0, 2]), Buffer.from('{]')]) },
    { name: 'of another protocol', bytes: Buffer.from('GET / HTTP/1.1\r\n\r\n') },
  ];
  for (const { name, bytes: wrong } of REFUSED) {
    it(`${name} are refused`, () => assert.throws(() => [...new FrameDecoder().push(wrong)], ProtocolError));
  }

  it('of the greatest length are taken', () => {
    const text = JSON.stringify('x'.repeat(MAX_FRAME_BYTES - 2));
    const head = Buffer.alloc(4);
    head.writeUInt32BE(text.length);
    assert.equal([...new FrameDecoder().push(Buffer.concat([head, Buffer.from(text)]))].length, 1);
  });
});

describe('messages of a member', () => {
  for (const message of [HELLO, BATCH, { type: 'collected', id: 0 }] as const) {
    it(`${message.type} is taken`, () => assert.equal(memberMessage(message), message));
  }

  const series = (row: object) => ({ ...BATCH, deltas: [{ ...HISTOGRAM, series: [row] }] });
  const [row] = HISTOGRAM.series;
  const WRONG: readonly unknown[] = [
    null,
    [],
    'hello',
    {},
    { type: 'welcome', pid: 1 },
    { type: '__proto__' },
    { type: 'constructor' },
    { ...HELLO, version: '1' },
    { ...HELLO, parent: -1 },
    { ...HELLO, program: 5 },
    { ...HELLO, program: 'x'.repeat(101) },
    { ...HELLO, syscode: 'a123010101' },
    { ...HELLO, syscode: 'A123010101"} 1\n' },
    { ...HELLO, member: '' },
    { ...HELLO, member: 'm'.repeat(65) },
    { ...HELLO, pid: -1 },
    { ...HELLO, isThread: 1 },
    { ...BATCH, number: 0 },
    { ...BATCH, number: 1.5 },
    { ...BATCH, deltas: {} },
    { ...BATCH, deltas: [null] },
    { ...BATCH, deltas: [{ ...COUNTER, family: 1 }] },
    { ...BATCH, deltas: [{ ...COUNTER, series: [{ values: ['surplus'], add: 1 }] }] },
    { ...BATCH, deltas: [{ ...COUNTER, series: [{ values: [], add: -1 }] }] },
    { ...BATCH, deltas: [{ ...COUNTER, series: [{ values: [], add: '1' }] }] },
    { ...BATCH, deltas: [{ ...HISTOGRAM, labels: ['a"b'] }] },
    { ...BATCH, deltas: [{ ...HISTOGRAM, labels: ['le'] }] },
    { ...BATCH, deltas: [{ ...HISTOGRAM, boundaries: [null, 1] }] },
    { ...BATCH, deltas: [{ family: 'c', labels: ['a', 'a'], series: [{ values: ['1', '2'], add: 1 }] }] },
    series({ ...row, values: [1] }),
    series({ ...row, count: 4 }),
    series({ ...row, sum: null }),
    series({ ...row, buckets: [3, 0] }),
    series({ ...row, buckets: [4, 0, -1] }),
    { type: 'collected', id: -1 },
    { type: 'collected' },
  ];
  for (const message of WRONG) {
    it(`${JSON.stringify(message)} is refused`, () => assert.throws(() => memberMessage(message), ProtocolError));
  }

  it('that are changed at random are refused, or as good as before', () => {
    const random = new Random(1);
    const frame = encodeFrame(BATCH);
    let refused = 0;
    for (let round = 0; round < 20_000; round++) {
      const bytes = Buffer.from(frame);
      for (let changes = 1 + random.below(3); changes > 0; changes--) {
        bytes[random.below(bytes.length)] = random.below(256);
      }
      try {
        for (const value of new FrameDecoder().push(bytes)) memberMessage(value);
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
        refused++;
      }
    }
    assert.ok(refused > 10_000, `${refused} were refused`);
  });
});

describe('messages of a hub', () => {
  const GOOD = [
    { type: 'welcome', pid: 1 },
    { type: 'refused', reason: 'syscode', syscode: 'A123010101', pid: 1 },
    { type: 'refused', reason: 'version', syscode: 'A123010101', pid: 1, version: 2, release: '1.0.0-rc.1' },
    { type: 'ack', number: 1 },
    { type: 'collect', id: 1 },
  ];
  for (const message of GOOD) it(`${message.type} is taken`, () => assert.equal(hubMessage(message), message));

  for (const message of [
    HELLO,
    { type: 'refused', reason: 'mood', syscode: 'A123010101', pid: 1 },
    { type: 'refused', reason: 'version', syscode: 'A123010101', pid: 1, version: 2, release: '1.0\nline' },
    { type: 'refused', reason: 'version', syscode: 'A123010101', pid: 1, version: 2, release: '1'.repeat(51) },
    { type: 'refused', reason: 'syscode', syscode: 'none', pid: 1 },
    { type: 'ack' },
  ]) {
    it(`${JSON.stringify(message)} is refused`, () => assert.throws(() => hubMessage(message), ProtocolError));
  }
});

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
const INSTRUMENT = {
  kind: 'counter',
  isObservable: false,
  help: 'Orders.',
  unit: '1',
  meter: 'shop',
  owner: '["shop"]',
} as const;
const ORDERS = {
  family: 'orders_total',
  labels: ['kind'],
  instrument: INSTRUMENT,
  series: [{ values: ['ä'], add: 2 }],
};
const OPEN = {
  ...{ family: 'open', labels: ['le'], instrument: { ...INSTRUMENT, kind: 'upDownCounter' } },
  series: [{ values: ['1'], add: -2 }],
} as const;
const LEVEL = {
  ...{ family: 'level', labels: [], instrument: { ...INSTRUMENT, kind: 'gauge', isObservable: true } },
  series: [
    { values: [], last: -1, at: 5 },
    { values: [], last: 'Infinity', at: 5 },
  ],
} as const;
const WAIT = { ...HISTOGRAM, instrument: { ...INSTRUMENT, kind: 'histogram' } } as const;
const LIBRARY = { origin: 'prom-client', type: 'histogram', help: 'Waits.', aggregator: 'sum', sample: 'waits_bucket' };
const WAITS = { family: 'waits', labels: ['le'], library: LIBRARY, series: [{ values: ['0.5'], add: 2 }] };
const FOREIGN = {
  ...{ type: 'batch', number: 3 },
  deltas: [WAITS, { ...WAITS, series: [{ values: ['1'], last: 'NaN', at: 0 }] }],
};
const SCRAPE: MemberMessage = {
  ...{ type: 'scrape', version: PROTOCOL_VERSION, syscode: 'A123010101' },
  form: { format: 'text', isCompressed: true },
};
const RELEASE: MemberMessage = {
  ...{ type: 'release', version: PROTOCOL_VERSION, syscode: 'A123010101' },
  ...{ pid: 1, port: 9166, host: '127.0.0.1' },
};
const OWN = { type: 'batch', number: 2, deltas: [ORDERS, OPEN, LEVEL, WAIT] } as const;
const BATCH = { type: 'batch', number: 1, deltas: [HISTOGRAM, COUNTER] } as const;

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
  const READ: MemberMessage = { type: 'collected', id: 1, reading: [COUNTER, HISTOGRAM] };
  for (const message of [
    HELLO,
    BATCH,
    { ...BATCH, deltas: [], isLast: true },
    OWN,
    FOREIGN,
    SCRAPE,
    RELEASE,
    { type: 'collected', id: 0 },
    READ,
  ] as const) {
    it(`${JSON.stringify(message)} is taken`, () => assert.equal(memberMessage(message), message));
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
    { ...RELEASE, version: undefined },
    { ...RELEASE, syscode: 'none' },
    { ...RELEASE, pid: '1' },
    { ...RELEASE, port: -1 },
    { ...RELEASE, host: 1 },
    { ...RELEASE, host: 'x'.repeat(256) },
    { ...SCRAPE, version: -1 },
    { ...SCRAPE, syscode: 'none' },
    { ...SCRAPE, form: null },
    { ...SCRAPE, form: { format: 'html', isCompressed: true } },
    { ...SCRAPE, form: { format: 'text', isCompressed: 1 } },
    series({ ...row, begin: 'yesterday' }),
    series({ ...row, begin: -1 }),
    series({ ...row, isPath: 1 }),
    { ...BATCH, isLast: 1 },
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
    ...[
      { ...ORDERS, family: 'orders' },
      { ...ORDERS, family: 'a b_total' },
      { ...ORDERS, family: 'a__b_total' },
      { ...ORDERS, family: `${'x'.repeat(250)}_total` },
      { ...ORDERS, labels: ['a.b'] },
      { ...ORDERS, labels: ['__name__'] },
      { ...ORDERS, labels: ['x'.repeat(256)] },
      { ...ORDERS, labels: Array.from({ length: 33 }, (_, index) => `l${index}`), series: [] },
      { ...ORDERS, boundaries: [1] },
      { ...ORDERS, instrument: null },
      { ...ORDERS, instrument: { ...INSTRUMENT, kind: 'summary' } },
      { ...ORDERS, instrument: { ...INSTRUMENT, isObservable: 1 } },
      { ...ORDERS, instrument: { ...INSTRUMENT, help: 5 } },
      { ...ORDERS, instrument: { ...INSTRUMENT, help: 'x'.repeat(1_001) } },
      { ...ORDERS, instrument: { ...INSTRUMENT, unit: 'x'.repeat(64) } },
      { ...ORDERS, instrument: { ...INSTRUMENT, meter: 'x'.repeat(256) } },
      { ...ORDERS, instrument: { ...INSTRUMENT, owner: '' } },
      { ...ORDERS, instrument: { ...INSTRUMENT, owner: 'x'.repeat(501) } },
      { ...ORDERS, series: [{ values: ['a'], add: -1 }] },
      { ...ORDERS, series: [{ values: ['a'], last: 1, at: 1 }] },
      { ...OPEN, series: [{ values: ['a'], add: null }] },
      { ...LEVEL, series: [{ values: [], last: 1 }] },
      { ...LEVEL, series: [{ values: [], last: 'many', at: 1 }] },
      { ...LEVEL, series: [{ values: [], add: 1, at: 1 }] },
      { ...LEVEL, boundaries: [] },
      { ...WAIT, boundaries: Array.from({ length: 1_001 }, (_, index) => index), series: [] },
      { ...WAIT, labels: ['le'] },
      { ...WAIT, boundaries: undefined },
      { ...WAITS, family: 'a b' },
      { ...WAITS, labels: ['a"b'] },
      { ...WAITS, boundaries: [1] },
      { ...WAITS, library: null },
      { ...WAITS, library: { ...LIBRARY, origin: 'other' } },
      { ...WAITS, library: { ...LIBRARY, type: 'untyped' } },
      { ...WAITS, library: { ...LIBRARY, help: 'x'.repeat(1_001) } },
      { ...WAITS, library: { ...LIBRARY, aggregator: 'x'.repeat(17) } },
      { ...WAITS, library: { ...LIBRARY, sample: 'waits\n# TYPE' } },
      { ...WAITS, library: { ...LIBRARY, sample: 'other_total' } },
      { ...WAITS, series: [{ values: ['1'], add: -1 }] },
      { ...WAITS, series: [{ values: ['1'], count: 1, sum: 1, buckets: [1] }] },
    ].map((delta) => ({ ...BATCH, deltas: [delta] })),
    { type: 'collected', id: -1 },
    { type: 'collected' },
    { ...READ, reading: COUNTER },
    { ...READ, reading: null },
    { ...READ, reading: [{ ...COUNTER, series: [{ values: [], add: -1 }] }] },
  ];
  for (const message of WRONG) {
    it(`${JSON.stringify(message)} is refused`, () => assert.throws(() => memberMessage(message), ProtocolError));
  }

  it('that are changed at random are refused, or as good as before', () => {
    const random = new Random(1);
    const frame = encodeFrame({ ...BATCH, deltas: [...BATCH.deltas, ...OWN.deltas] } as MemberMessage);
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
    { type: 'scraped', headers: { 'Content-Type': 'text/plain; version=0.0.4', 'Content-Encoding': 'gzip' }, bytes: 0 },
    { type: 'unscraped', reason: 'why' },
  ];
  for (const message of GOOD) it(`${message.type} is taken`, () => assert.equal(hubMessage(message), message));

  for (const message of [
    HELLO,
    { type: 'refused', reason: 'mood', syscode: 'A123010101', pid: 1 },
    { type: 'refused', reason: 'version', syscode: 'A123010101', pid: 1, version: 2, release: '1.0\nline' },
    { type: 'refused', reason: 'version', syscode: 'A123010101', pid: 1, version: 2, release: '1'.repeat(51) },
    { type: 'refused', reason: 'syscode', syscode: 'none', pid: 1 },
    { type: 'ack' },
    { type: 'scraped', headers: {}, bytes: -1 },
    { type: 'scraped', headers: null, bytes: 1 },
    { type: 'scraped', headers: { 'Content-Type': 'text/plain\r\nSet-Cookie: a=b' }, bytes: 1 },
    { type: 'scraped', headers: { 'Content-Length': '5' }, bytes: 1 },
    { type: 'scraped', headers: { 'Content-Type': 'x'.repeat(201) }, bytes: 1 },
    { type: 'unscraped', reason: 'x'.repeat(257) },
    { type: 'unscraped' },
  ]) {
    it(`${JSON.stringify(message)} is refused`, () => assert.throws(() => hubMessage(message), ProtocolError));
  }
});

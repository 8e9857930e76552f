import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { afterEach, describe, it } from 'node:test';
import zlib from 'node:zlib';
import { type BodyCodes, BodyReader } from '../../src/business-code/body-reader';
import { decompress } from '../../src/business-code/decompress';
import { enqueue, MAX_WAITING } from '../../src/business-code/decompression-queue';
import { setUnreadBodyListener, type UnreadReason } from '../../src/business-code/unread-bodies';

const LIMIT_BYTES = 64 * 1024;
const { BROTLI_PARAM_LGWIN } = zlib.constants;

const unread: UnreadReason[] = [];
function listen(): void {
  unread.length = 0;
  setUnreadBodyListener((reason) => unread.push(reason));
}
afterEach(() => setUnreadBodyListener(undefined));

function read(encoding: string, packed: Uint8Array): Promise<BodyCodes> {
  const reader = new BodyReader(['code'], LIMIT_BYTES);
  reader.setEncoding(encoding);
  reader.push(packed);
  return new Promise((resolve) => reader.end(true, resolve));
}

/** A decompression that is told when it is over, by hand. */
function byHand(bytes: number, isExpensive = false) {
  const stream = new PassThrough();
  const done: boolean[] = [];
  let isCreated = false;
  enqueue({
    compressed: new Uint8Array(bytes),
    isExpensive,
    create() {
      isCreated = true;
      return stream as unknown as zlib.Gunzip;
    },
    onBytes: () => true,
    onDone: (isWhole) => done.push(isWhole),
  });
  return {
    done,
    get isRunning() {
      return isCreated && done.length === 0;
    },
    async end() {
      stream.emit('end');
    },
  };
}

describe('bodies that are decompressed in the background', () => {
  it('run alone where they are long or may take long, and together where they are short', async () => {
    const first = byHand(40 * 1024);
    const second = byHand(40 * 1024);
    const third = byHand(1, true);
    const fourth = byHand(1024);
    const fifth = byHand(1024);
    const running = () => [first, second, third, fourth, fifth].map(({ isRunning }) => isRunning);
    assert.deepEqual(running(), [true, false, false, false, false]);
    await first.end();
    assert.deepEqual(running(), [false, true, false, false, false]);
    await second.end();
    assert.deepEqual(running(), [false, false, true, false, false]);
    await third.end();
    assert.deepEqual(running(), [false, false, false, true, true]);
    await fourth.end();
    await fifth.end();
    assert.deepEqual(fifth.done, [true]);
  });

  it('are not read where too many wait, and are counted', async () => {
    listen();
    const all = Array.from({ length: 1 + MAX_WAITING + 3 }, () => byHand(1, true));
    assert.deepEqual(unread, ['queue', 'queue', 'queue']);
    assert.deepEqual(
      all.slice(-3).map(({ done }) => done),
      [[false], [false], [false]],
    );
    for (const each of all) await each.end();
    assert.deepEqual(
      all.map(({ done }) => done.length),
      all.map(() => 1),
    );
    assert.equal(unread.length, 3);
  });

  it('are not read and counted once where a span shares them, which reads at once what it can', async () => {
    listen();
    const all = Array.from({ length: 1 + MAX_WAITING }, () => byHand(1, true));
    const shared = (text: string) => {
      const reader = new BodyReader(['code'], LIMIT_BYTES);
      reader.share();
      reader.setEncoding('gzip');
      reader.push(zlib.gzipSync(text));
      return reader;
    };
    const inTheEnd = (reader: BodyReader) => new Promise<BodyCodes>((resolve) => reader.end(true, resolve));
    const short = shared('{"code":1}');
    assert.equal((await inTheEnd(short)).found[0]?.text, '1');
    assert.deepEqual(unread, []);
    // more than is decompressed at once, so that it would have to wait
    const noise = Array.from({ length: 20_000 }, (_, n) => ((n * 7919) % 99_991).toString(36)).join('');
    const long = shared(`{"rows":"${noise.slice(0, LIMIT_BYTES - 100)}","code":1}`);
    assert.equal((await inTheEnd(long)).isJson, false);
    assert.equal(long.readAtOnce(true).isJson, false);
    assert.deepEqual(unread, ['queue']);
    for (const each of all) await each.end();
  });

  it('leave no listener with the process when they are done', async () => {
    const before = process.listenerCount('exit');
    const bodies = Array.from({ length: 20 }, () => read('gzip', zlib.gzipSync(Buffer.alloc(300_000, '[1,2]'))));
    assert.equal(process.listenerCount('exit'), before + 1);
    await Promise.all(bodies);
    assert.equal(process.listenerCount('exit'), before);
  });

  it('end without a code where there is no memory for a stream', () => {
    const done: boolean[] = [];
    enqueue({
      compressed: new Uint8Array(1),
      isExpensive: false,
      create() {
        throw new Error('no memory');
      },
      onBytes: () => true,
      onDone: (isWhole) => done.push(isWhole),
    });
    assert.deepEqual(done, [false]);
  });
});

describe('a body that asks for a large window', () => {
  const bomb = (windowBits: number) =>
    zlib.brotliCompressSync(Buffer.alloc(32 * 1024 * 1024, ' '), { params: { [BROTLI_PARAM_LGWIN]: windowBits } });

  it('is not read, and is counted', async () => {
    listen();
    assert.equal((await read('br', bomb(24))).isJson, false);
    assert.deepEqual(unread, ['window']);
  });

  it('is read where its text is short, whatever window its encoder was given', async () => {
    listen();
    const packed = zlib.brotliCompressSync('{"code":"A1"}', { params: { [BROTLI_PARAM_LGWIN]: 24 } });
    assert.equal((await read('br', packed)).found[0]?.text, 'A1');
    assert.deepEqual(unread, []);
  });

  it('is read where it is the usual one', async () => {
    listen();
    const text = `{"code":"A1","rows":[${'1,'.repeat(2_000_000)}1]}`;
    assert.equal((await read('br', zlib.brotliCompressSync(text))).found[0]?.text, 'A1');
    assert.deepEqual(unread, []);
  });
});

/** What a slow machine can decompress too in the time that is allowed at once. */
const MANY = 300;

describe('many small compressed bodies', () => {
  it('are all read at once', () => {
    const packed = zlib.gzipSync('{"code":"A1"}');
    let codes = 0;
    for (let n = 0; n < MANY; n++) {
      decompress(
        'gzip',
        packed,
        () => ++codes > 0,
        () => undefined,
      );
    }
    assert.equal(codes, MANY);
  });
});

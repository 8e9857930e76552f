import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import zlib from 'node:zlib';
import { readBrotliHeader, zstdWindowBytes } from '../../src/business-code/compression-headers';

const { BROTLI_MIN_WINDOW_BITS, BROTLI_MAX_WINDOW_BITS, BROTLI_PARAM_LGWIN, BROTLI_PARAM_QUALITY } = zlib.constants;
const LARGE_WINDOW = 1;
const ZSTD_WINDOW_LOG = 101;
const { zstdCompressSync } = zlib as { zstdCompressSync?: (text: Buffer, options: object) => Buffer };

const NOISE = Buffer.from(Array.from({ length: 3000 }, (_, n) => (n * n * 31 + n * 7) % 251));
const TEXTS = [Buffer.alloc(0), Buffer.from('{"code":"A1"}'), Buffer.alloc(100_000, 'ab'), NOISE];

describe('the header of a Brotli body', () => {
  it('gives the window that the encoder was given', () => {
    for (let bits = BROTLI_MIN_WINDOW_BITS; bits <= BROTLI_MAX_WINDOW_BITS; bits++) {
      const packed = zlib.brotliCompressSync(NOISE, { params: { [BROTLI_PARAM_LGWIN]: bits } });
      assert.equal(readBrotliHeader(packed)?.windowBytes, 2 ** bits);
    }
  });

  it('gives the length of the text, where it is short', () => {
    for (const text of TEXTS) {
      for (const quality of [4, 5, 6, 9, 11]) {
        const packed = zlib.brotliCompressSync(text, { params: { [BROTLI_PARAM_QUALITY]: quality } });
        assert.equal(readBrotliHeader(packed)?.textBytes, text.length);
      }
    }
  });

  it('leaves the length open where more blocks follow', () => {
    const packed = zlib.brotliCompressSync(Buffer.alloc(32 * 1024 * 1024, 'ab'));
    assert.equal(readBrotliHeader(packed)?.textBytes, undefined);
  });

  it('ends with the bytes', () => {
    const packed = zlib.brotliCompressSync(NOISE);
    for (let length = 0; length < 10; length++) readBrotliHeader(packed.subarray(0, length));
  });

  it('is none for a window that only other programs know', () => {
    const packed = zlib.brotliCompressSync(NOISE, {
      params: { [BROTLI_PARAM_LGWIN]: 28, [zlib.constants.BROTLI_PARAM_LARGE_WINDOW]: LARGE_WINDOW },
    });
    assert.equal(readBrotliHeader(packed), undefined);
  });
});

describe('the header of a zstd body', () => {
  const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
  const cases: readonly { name: string; bytes: readonly number[]; window: number | undefined }[] = [
    { name: 'the smallest window', bytes: [...MAGIC, 0x00, 0x00], window: 1024 },
    { name: 'a window with eighths', bytes: [...MAGIC, 0x00, 0x0b], window: 2048 + (3 * 2048) / 8 },
    { name: 'the largest window of HTTP', bytes: [...MAGIC, 0x04, 0x68], window: 8 * 1024 * 1024 },
    { name: 'the largest window of all', bytes: [...MAGIC, 0x00, 0xff], window: 2 ** 41 * (1 + 7 / 8) },
    { name: 'a text in one segment', bytes: [...MAGIC, 0x20, 0x11], window: 0x11 },
    { name: 'one after the number of a dictionary', bytes: [...MAGIC, 0x63, 1, 2, 3, 4, 0x05, 0x01], window: 0x0205 },
    { name: 'a long one', bytes: [...MAGIC, 0xe0, 0, 0, 0, 0, 1, 0, 0, 0], window: 2 ** 32 },
    { name: 'one that broke off', bytes: [...MAGIC, 0xe0, 0, 0], window: undefined },
    { name: 'anything else', bytes: [1, 2, 3, 4, 5, 6, 7], window: undefined },
    { name: 'nothing', bytes: [], window: undefined },
  ];
  for (const { name, bytes, window } of cases) {
    it(`gives the window: ${name}`, () => assert.equal(zstdWindowBytes(Uint8Array.from(bytes)), window));
  }

  if (zstdCompressSync === undefined) return;
  it('gives the window that the encoder was given', () => {
    for (const text of TEXTS) assert.equal(zstdWindowBytes(zstdCompressSync(text, {})), text.length);
    for (const windowLog of [10, 17, 23, 27]) {
      const packed = zstdCompressSync(Buffer.alloc(200 * 1024 * 1024), { params: { [ZSTD_WINDOW_LOG]: windowLog } });
      assert.equal(zstdWindowBytes(packed), 2 ** windowLog);
    }
  });
});

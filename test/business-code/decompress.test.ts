/** Decompressing at once reads the same code as in the background, within the same bound, where it does not take long. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import zlib from 'node:zlib';
import { BodyReader } from '../../src/business-code/body-reader';
import { partnerCode, partnerCodeReader } from '../../src/business-code/codes';
import { type Decompress, decompress, decompressAtOnce, isPlainObject } from '../../src/business-code/decompress';

const LIMIT_BYTES = 4096;
const { zstdCompressSync } = zlib as { zstdCompressSync?: typeof zlib.gzipSync };

const PACKERS: Readonly<Record<string, (text: Buffer) => Buffer>> = {
  gzip: zlib.gzipSync,
  'x-gzip': zlib.gzipSync,
  deflate: zlib.deflateSync,
  'raw deflate': zlib.deflateRawSync,
  br: zlib.brotliCompressSync,
  ...(zstdCompressSync && { zstd: zstdCompressSync }),
};

const noise = (bytes: number) =>
  Array.from({ length: bytes }, (_, n) => String.fromCharCode(97 + ((n * n * 31 + n * 7) % 26))).join('');

/** `atOnce`: the code where there is no time to look for it, by encoding. */
const BODIES: readonly { name: string; text: string; code: string; atOnce?: Readonly<Record<string, string>> }[] = [
  { name: 'a small body', text: '{"code":"A1"}', code: 'A1' },
  { name: 'an empty body', text: '', code: '-1' },
  { name: 'a body that is no JSON', text: '<p>', code: '-1' },
  { name: 'a body as long as the limit', text: `{"code":"A1","x":"${'y'.repeat(LIMIT_BYTES - 20)}"}`, code: 'A1' },
  { name: 'a body somewhat over the limit', text: `{"code":"A1","x":"${noise(2 * LIMIT_BYTES)}"}`, code: 'A1' },
  { name: 'a code behind the limit', text: `{"x":"${'y'.repeat(LIMIT_BYTES)}","code":"A1"}`, code: '-1' },
  {
    name: 'a body that packs a thousandfold',
    text: `{"code":"A1","x":"${' '.repeat(20_000_000)}"}`,
    code: 'A1',
    atOnce: { br: '-1' },
  },
  {
    name: 'a body that packs well after it packed badly',
    text: `{"x":"${noise(LIMIT_BYTES / 2)}","code":"A1","y":"${' '.repeat(1_000_000)}"}`,
    code: 'A1',
    atOnce: { br: '-1', zstd: '-1' },
  },
];

function codeOf(encoding: string, packed: Uint8Array, decompress: Decompress): Promise<string> {
  const reader = partnerCodeReader(LIMIT_BYTES);
  reader.setEncoding(encoding);
  reader.push(packed);
  return new Promise((resolve) => reader.end(true, (codes) => resolve(partnerCode(codes)), decompress));
}

describe('decompressing at once', () => {
  for (const [packer, pack] of Object.entries(PACKERS)) {
    const encoding = packer.split(' ').at(-1) as string;
    for (const { name, text, code, atOnce } of BODIES) {
      it(`reads ${name}, ${packer}, as in the background`, async () => {
        const packed = pack(Buffer.from(text));
        assert.equal(await codeOf(encoding, packed, decompress), code);
        assert.equal(await codeOf(encoding, packed, decompressAtOnce), atOnce?.[encoding] ?? code);
      });
    }

    it(`reads ${packer} that broke off as in the background`, async () => {
      const packed = pack(Buffer.from(`{"code":"A1","x":"${noise(500)}"}`)).subarray(0, -20);
      assert.equal(await codeOf(encoding, packed, decompressAtOnce), await codeOf(encoding, packed, decompress));
    });
  }

  for (const encoding of ['gzip', 'deflate', 'br', 'compress', 'gzip, br']) {
    it(`finds no code in what only claims to be ${encoding}`, async () => {
      assert.equal(await codeOf(encoding, Buffer.from('{"code":"A1"}'), decompressAtOnce), '-1');
    });
  }

  it('has given its result when it returns', () => {
    const reader = new BodyReader(['code'], LIMIT_BYTES);
    reader.setEncoding('gzip');
    reader.push(zlib.gzipSync('{"code":1}'));
    let text: string | undefined;
    reader.end(
      true,
      ({ found }) => {
        text = found[0]?.text;
      },
      decompressAtOnce,
    );
    assert.equal(text, '1');
  });
});

describe('what begins as the plain text of an object', () => {
  const texts = ['{}', '{"code":1}', '{ "code": 1}', '{\n"code":1}', '{\r\n}', '{\t}'];
  const bodies = [...texts, `{"x":"${noise(5000)}"}`, `{"x":"${' '.repeat(100_000)}"}`];

  it('is told by its first two characters, as text and as bytes', () => {
    for (const text of bodies) {
      assert.equal(isPlainObject(text), true, text);
      assert.equal(isPlainObject(Buffer.from(text)), true, text);
    }
    for (const text of ['', '{', '[{', ' {}', '{1', '{\u00bf', '\ufeff{}']) {
      assert.equal(isPlainObject(text), false, text);
      assert.equal(isPlainObject(Buffer.from(text)), false, text);
    }
  });

  it('is none of these packed, at any level and with any window', () => {
    let packedBodies = 0;
    for (const text of bodies.flatMap((body) => [body, `\ufeff${body}`, `[${body}]`])) {
      for (const packed of waysToPack(Buffer.from(text))) {
        packedBodies++;
        assert.equal(isPlainObject(packed), false, `${text.slice(0, 20)} became ${packed.toString('hex', 0, 8)}`);
      }
    }
    assert.ok(packedBodies > 3000, `${packedBodies} were packed`);
  });

  function* waysToPack(body: Buffer): Generator<Buffer> {
    const { constants } = zlib;
    const strategies = [constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY, constants.Z_RLE];
    for (const strategy of strategies) {
      for (let level = 0; level <= 9; level++) {
        yield zlib.deflateRawSync(body, { level, strategy });
        yield zlib.deflateSync(body, { level, strategy });
        yield zlib.gzipSync(body, { level, strategy });
      }
    }
    for (let window = constants.BROTLI_MIN_WINDOW_BITS; window <= constants.BROTLI_MAX_WINDOW_BITS; window++) {
      for (const quality of [0, 1, 5, 9, 11]) {
        const { BROTLI_PARAM_LGWIN, BROTLI_PARAM_QUALITY } = constants;
        yield zlib.brotliCompressSync(body, {
          params: { [BROTLI_PARAM_LGWIN]: window, [BROTLI_PARAM_QUALITY]: quality },
        });
      }
    }
    if (zstdCompressSync !== undefined) yield zstdCompressSync(body);
  }
});

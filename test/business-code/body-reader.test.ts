import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { BodyReader } from '../../src/business-code/body-reader';
import { innerCode, innerCodeReader, partnerCode, partnerCodeReader } from '../../src/business-code/codes';
import { totalKeptBytes } from '../../src/business-code/kept-bytes';

const LIMIT = 64 * 1024;
const CHECKED_BEHIND_MATCH_BYTES = 1024;

function read(body: Uint8Array | string, pieceBytes = Number.POSITIVE_INFINITY, limit = LIMIT): string {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const reader = innerCodeReader(limit);
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.push(bytes.subarray(at, at + pieceBytes));
  let code = 'not called';
  reader.end(true, (codes) => {
    code = innerCode(codes);
  });
  return code;
}

function readPacked(body: Uint8Array, limit: number): Promise<string> {
  const reader = innerCodeReader(limit);
  reader.setEncoding('gzip');
  reader.push(body);
  return new Promise((resolve) => reader.end(true, (codes) => resolve(innerCode(codes))));
}

describe('a body over the limit', () => {
  const filling = `"x":"${'y'.repeat(LIMIT)}"`;
  const cases: readonly { title: string; body: string; code: string }[] = [
    { title: 'has the code that stands at the first level', body: `{"code":"7",${filling}}`, code: '7' },
    { title: 'has an empty code that stands there', body: `{"code":"",${filling}}`, code: '' },
    { title: 'has none when the code stands behind the limit', body: `{${filling},"code":"7"}`, code: '-1' },
    {
      title: 'has none when the code stands deeper, for one at the first level could follow',
      body: `{"data":{"code":"7"},${filling}}`,
      code: '-1',
    },
    { title: 'has none when it is no JSON', body: `{"code":"7",,${filling}}`, code: '-1' },
    { title: 'has none when a number may go on behind the limit', body: `{"code":${'1'.repeat(LIMIT)}}`, code: '-1' },
  ];
  for (const { title, body, code } of cases) {
    it(title, () => {
      for (const pieceBytes of [Number.POSITIVE_INFINITY, 4096, 1]) assert.equal(read(body, pieceBytes), code);
    });
  }

  it('is whole when it is exactly as long as the limit', () => {
    const body = '{"data":{"code":"7"}}';
    assert.equal(read(body, 1, body.length), '7');
    assert.equal(read(body, 1, body.length - 1), '-1');
  });

  it('is not read at all with a limit of 0', () => {
    assert.equal(read('{"code":"7"}', 1, 0), '-1');
    assert.equal(innerCodeReader(0).isDone, true);
  });

  it('has its code also when the packed bytes are more than the limit', async () => {
    // level 0 stores, so that the packed body is as long as the plain one
    const body = Buffer.from(`{"code":"7","x":"${'y'.repeat(900)}"}`);
    const packed = gzipSync(body, { level: 0 });
    assert.equal(await readPacked(packed, 500), '7');
    assert.equal(await readPacked(packed, 25), '-1');
    assert.equal(await readPacked(packed, packed.length), '7');
  });
});

describe('what is checked behind a code', () => {
  /** A body that is broken this many bytes behind the end of its code's value. */
  function brokenBehind(bytes: number, value: string, between: string): Buffer {
    const start = `{"code":${value}`;
    const behind = `${between},"x":"`.padEnd(bytes, 'y');
    return Buffer.from(`${start}${behind}\n${'y'.repeat(3000)}"}`);
  }

  for (const value of ['"7"', '7', 'true']) {
    for (const between of ['', ',"a":{"code":"8"}', ',"errorcode":1,"code":2']) {
      it(`is ${CHECKED_BEHIND_MATCH_BYTES} bytes behind ${value}${between}, however the body was cut`, () => {
        const checked = brokenBehind(CHECKED_BEHIND_MATCH_BYTES - 1, value, between);
        const unchecked = brokenBehind(CHECKED_BEHIND_MATCH_BYTES, value, between);
        for (const pieceBytes of [Number.POSITIVE_INFINITY, 4096, 1024, 1000, 12, 7, 1]) {
          assert.equal(read(checked, pieceBytes), '-1', `pieces of ${pieceBytes} bytes`);
          assert.equal(read(unchecked, pieceBytes), value.replaceAll('"', ''), `pieces of ${pieceBytes} bytes`);
        }
      });
    }
  }

  it('begins at errorcode where code is empty', () => {
    const behind = ` ${'y'.repeat(CHECKED_BEHIND_MATCH_BYTES)}`;
    const outcome = (body: string) => {
      const reader = partnerCodeReader(LIMIT);
      reader.push(Buffer.from(body));
      let code = '';
      reader.end(true, (codes) => {
        code = partnerCode(codes);
      });
      return code;
    };
    assert.equal(outcome(`{"code":"","x":"${behind}","errorcode":"5","z":"${behind}\n`), '5');
    assert.equal(outcome(`{"code":"","x":"${behind}\n","errorcode":"5"}`), '-1');
    assert.equal(outcome(`{"errorcode":"5","x":"${behind}","code":"4","z":"${behind}\n`), '4');
  });
});

describe('nesting', () => {
  for (const open of ['[', '{"a":', '{"code":', '[{"code":1,"a":']) {
    it(`of ${LIMIT} bytes of ${open} is read without recursion`, () => {
      const levels = Math.floor(LIMIT / open.length);
      assert.equal(read(open.repeat(levels), 4096), '-1');
      const close = open.replace(/[^[{]/g, '').replaceAll('[', ']').replaceAll('{', '}').split('').reverse().join('');
      const half = Math.floor(levels / 2 / 2);
      const whole = `{"x":${open.repeat(half)}0${close.repeat(half)},"code":"7"}`;
      assert.equal(read(whole, 4096), '7');
    });
  }

  it('of 16 MiB is read in time that grows with its length', () => {
    const started = performance.now();
    assert.equal(read(Buffer.alloc(16 * 1024 * 1024, '['), 65_536, 16 * 1024 * 1024), '-1');
    // about 0.3 s; a square would take hours
    assert.ok(performance.now() - started < 60_000);
  });
});

describe('a string that is written', () => {
  it('is read as UTF-8, or as its encoding says', () => {
    for (const [text, encoding, code] of [
      ['{"code":"中😀"}', undefined, '中😀'],
      ['{"code":"中"}', 'utf8', '中'],
      [Buffer.from('{"code":"7"}').toString('base64'), 'base64', '7'],
      [Buffer.from('{"code":"7"}').toString('hex'), 'hex', '7'],
      ['{"code":"\u00e9"}', 'latin1', '-1'],
    ] as const) {
      const reader = new BodyReader(['code'], LIMIT);
      reader.push(text, encoding);
      let seen = '';
      reader.end(true, (codes) => {
        seen = innerCode(codes);
      });
      assert.equal(seen, code, text);
    }
  });
});

describe('a body that comes as one text', () => {
  const readText = (text: string, limit: number) => {
    const reader = innerCodeReader(limit);
    reader.push(text);
    let code = 'not called';
    reader.end(true, (codes) => {
      code = innerCode(codes);
    });
    return code;
  };
  const bodies: readonly [title: string, make: (filling: string) => string][] = [
    ['the code behind', (filling) => `{"x":"${filling}😀😀","code":"中😀"}`],
    ['the code in front', (filling) => `{"code":"中","x":"${filling}😀😀"}`],
    ['nothing that is no JSON behind the code', (filling) => `{"code":"7","x":"${filling}😀"}}`],
    ['half a character', (filling) => `{"x":"${filling}\ud83d","code":"7\ud83d"}`],
  ];
  for (const [title, make] of bodies) {
    it(`is read as its bytes are, wherever its pieces end: ${title}`, () => {
      const codes = new Set<string>();
      for (let length = 990; length < 1040; length++) {
        for (const repeated of ['y', '中', '😀']) {
          const text = make(repeated.repeat(length));
          for (const limit of [LIMIT, text.length, 8, 1024, 1030, 2048, 3072]) {
            const expected = read(text, Number.POSITIVE_INFINITY, limit);
            assert.equal(readText(text, limit), expected, `${length} times ${repeated}, ${limit} bytes`);
            codes.add(expected);
          }
        }
      }
      assert.ok(codes.size > 1, `all were read as ${[...codes]}`);
    });
  }
});

describe('a body to which no chunk comes any more', () => {
  const bodies = [
    '{"code":"7"}',
    '{"code":7',
    '7',
    '',
    `{"code":"7","x":"${'y'.repeat(LIMIT)}"}`,
    `{"x":"${'y'.repeat(LIMIT)}"}`,
  ];
  const ended = (reader: BodyReader, isWhole: boolean) => {
    let code = 'not called';
    reader.end(isWhole, (codes) => {
      code = innerCode(codes);
    });
    return code;
  };

  it('has the same code as one that ends at once, whether it comes to its end or breaks off', () => {
    for (const body of bodies) {
      for (const isWhole of [true, false]) {
        const [atOnce, later] = [innerCodeReader(LIMIT), innerCodeReader(LIMIT)];
        for (const reader of [atOnce, later]) reader.push(body);
        later.complete();
        // another body takes the scanner meanwhile
        const other = innerCodeReader(LIMIT);
        other.push('{"code":"9",');
        later.push('{"code":"8"}');
        assert.equal(ended(later, isWhole), ended(atOnce, isWhole), `${body.slice(0, 20)} ${isWhole}`);
        other.push('"x":1}');
        assert.equal(ended(other, true), '9');
      }
    }
  });

  it('is decompressed at its end', async () => {
    const reader = innerCodeReader(LIMIT);
    reader.setEncoding('gzip');
    reader.push(gzipSync('{"code":"7"}'));
    reader.complete();
    assert.equal(await new Promise((resolve) => reader.end(true, (codes) => resolve(innerCode(codes)))), '7');
  });

  it('keeps no scanner, so that thousands that wait for a slow one share a few', () => {
    const readers = Array.from({ length: 2_000 }, () => {
      const reader = innerCodeReader(LIMIT);
      reader.push('{"code":"7"}');
      reader.complete();
      return reader;
    });
    assert.equal(new Set(readers.map((reader) => Reflect.get(reader, 'scanner'))).size, 1);
    for (const reader of readers) assert.equal(ended(reader, true), '7');
  });

  it('does not take the scanner of another when it is discarded', () => {
    const [first, second] = [innerCodeReader(LIMIT), innerCodeReader(LIMIT)];
    first.push('{"code":"7"}');
    first.complete();
    const other = innerCodeReader(LIMIT);
    other.push('{"code":');
    first.discard();
    second.push('{"code":"8"}');
    const third = innerCodeReader(LIMIT);
    third.push('{"code":"5"}');
    other.push('"9"}');
    assert.deepEqual(
      [other, second, third].map((reader) => ended(reader, true)),
      ['9', '8', '5'],
    );
  });
});

describe('a body in short chunks', () => {
  /** Readers of several bodies whose chunks come in turn, each body cut in its own way. */
  function readInTurn(bodies: readonly (string | Uint8Array)[], chunkLengths: readonly number[]): string[] {
    const under = bodies.map((body, n) => ({
      body,
      chunkLength: chunkLengths[n] ?? 1,
      at: 0,
      reader: innerCodeReader(LIMIT),
    }));
    for (let isLeft = true; isLeft; ) {
      isLeft = false;
      for (const one of under) {
        if (one.at >= one.body.length) continue;
        one.reader.push(one.body.slice(one.at, one.at + one.chunkLength));
        one.at += one.chunkLength;
        isLeft = true;
      }
    }
    return under.map(({ reader }) => ended(reader));
  }

  function ended(reader: BodyReader): string {
    let code = 'not called';
    reader.end(true, (codes) => {
      code = innerCode(codes);
    });
    return code;
  }

  it('is told from those whose chunks come in between, as bytes and as text', () => {
    const filling = 'y'.repeat(9_000);
    const texts = ['A', 'B', 'C'].map((code) => `{"x":"${filling}","中":"é","code":"${code}"}`);
    assert.deepEqual(
      readInTurn(
        texts.map((text) => Buffer.from(text)),
        [1, 7, 511],
      ),
      ['A', 'B', 'C'],
    );
    assert.deepEqual(readInTurn(texts, [1, 7, 511]), ['A', 'B', 'C']);
  });

  it('keeps its own bytes where the application writes the next ones over them', () => {
    const reader = innerCodeReader(LIMIT);
    const chunk = Buffer.alloc(1);
    for (const byte of Buffer.from('{"code":"7"}')) {
      chunk[0] = byte;
      reader.push(chunk);
    }
    assert.equal(ended(reader), '7');
  });

  it('leaves nothing to the next one when it is discarded', () => {
    const first = innerCodeReader(LIMIT);
    first.push('{');
    first.push('"code":"1",');
    first.discard();
    const second = innerCodeReader(LIMIT);
    second.push('{');
    second.push('"code":"2"}');
    assert.equal(ended(second), '2');
  });

  it('is done as soon as in one chunk when its first chunk had the code', () => {
    const reader = innerCodeReader(LIMIT);
    reader.push('{"code":"7","x":"');
    let read = 0;
    while (!reader.isDone && read < LIMIT / 2) {
      reader.push('y');
      read++;
    }
    assert.ok(read <= CHECKED_BEHIND_MATCH_BYTES, `not before ${read} bytes`);
    assert.equal(ended(reader), '7');
  });

  it('is scanned in few calls, however short its chunks are', () => {
    const reader = innerCodeReader(LIMIT);
    const scanner = Reflect.get(reader, 'scanner') as { push(...args: unknown[]): void };
    const { push } = scanner;
    let scans = 0;
    scanner.push = function (...args) {
      scans++;
      return push.apply(this, args);
    };
    for (const byte of Buffer.from(`["${'a'.repeat(LIMIT - 4)}"]`)) reader.push(Uint8Array.of(byte));
    Reflect.deleteProperty(scanner, 'push');
    assert.equal(ended(reader), '');
    // the first chunk, and then steps of a KiB
    assert.ok(scans <= 2 + LIMIT / 1024, `${scans} calls`);
  });
});

describe('a body that is shared with who cannot wait', () => {
  const noise = Array.from({ length: 20_000 }, (_, n) => ((n * 7919) % 99_991).toString(36)).join('');
  const atOnce = '{"rows":[1,2],"code":"A1"}';
  // more than is decompressed at once
  const late = `{"rows":"${noise.slice(0, LIMIT - 100)}","code":"A1"}`;

  /** A reader that has taken a whole body. */
  function shared(body: string, isCompressed: boolean) {
    const reader = innerCodeReader(LIMIT);
    reader.share();
    if (isCompressed) reader.setEncoding('gzip');
    reader.push(isCompressed ? gzipSync(body) : body);
    return reader;
  }
  const whole = (reader: BodyReader) => innerCode(reader.readAtOnce(true));
  const inTheEnd = (reader: BodyReader, isWhole = true) =>
    new Promise<string>((resolve) => reader.end(isWhole, (codes) => resolve(innerCode(codes))));

  for (const isCompressed of [false, true]) {
    const how = isCompressed ? 'compressed' : 'plain';
    it(`gives both the same, whoever asks first: ${how}`, async () => {
      const first = shared(atOnce, isCompressed);
      assert.equal(whole(first), 'A1');
      assert.equal(await inTheEnd(first), 'A1');
      const last = shared(atOnce, isCompressed);
      let code: string | undefined;
      last.end(true, (codes) => {
        code = innerCode(codes);
      });
      // before end() returned
      assert.equal(code, 'A1');
      assert.equal(whole(last), 'A1');
    });

    it(`still gives what it held when it is not wanted in the end: ${how}`, () => {
      const reader = shared(atOnce, isCompressed);
      reader.readAtOnce(true);
      reader.discard();
      assert.equal(whole(reader), 'A1');
      assert.equal(totalKeptBytes(), 0);
    });

    it(`gives neither a code that broke off: ${how}`, async () => {
      const reader = shared(atOnce, isCompressed);
      assert.equal(innerCode(reader.readAtOnce(false)), '-1');
      assert.equal(await inTheEnd(reader, false), '-1');
      assert.equal(innerCode(reader.readAtOnce(false)), '-1');
    });
  }

  it('gives in the end what could not be read at once', async () => {
    assert.ok(gzipSync(late).length > 8 * 1024);
    const reader = shared(late, true);
    assert.equal(whole(reader), '-1');
    assert.equal(await inTheEnd(reader), 'A1');
    assert.equal(whole(reader), 'A1');
    assert.equal(totalKeptBytes(), 0);
  });

  it('goes on after who cannot wait has asked in its midst', async () => {
    for (const isCompressed of [false, true]) {
      const bytes = isCompressed ? gzipSync(atOnce) : Buffer.from(atOnce);
      const reader = innerCodeReader(LIMIT);
      reader.share();
      if (isCompressed) reader.setEncoding('gzip');
      reader.push(bytes.subarray(0, 12));
      assert.equal(innerCode(reader.readAtOnce(false)), '-1');
      reader.push(bytes.subarray(12));
      assert.equal(await inTheEnd(reader), 'A1');
    }
  });
});

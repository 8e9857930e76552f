/** What bodies under way keep: bounded in memory, whatever their chunks, one by one and all together. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { innerCode, innerCodeReader, methodCodeReader } from '../../src/business-code/codes';
import { decompressAtOnce } from '../../src/business-code/decompress';
import { MAX_KEPT_BYTES, totalKeptBytes } from '../../src/business-code/kept-bytes';
import { type RequestBodyReader, requestBodyReader } from '../../src/business-code/request-data';
import { setUnreadBodyListener } from '../../src/business-code/unread-bodies';

const LIMIT_BYTES = 64 * 1024;
const FORM = 'application/x-www-form-urlencoded';
const MULTIPART = 'multipart/form-data; boundary=XX';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

interface Discardable {
  push(chunk: Uint8Array): void;
  discard(): void;
}

function gzipReader(): Discardable {
  const reader = innerCodeReader(LIMIT_BYTES);
  reader.setEncoding('gzip');
  return reader;
}

function heldBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const READERS: Readonly<Record<string, () => Discardable>> = {
  form: () => requestBodyReader(FORM, LIMIT_BYTES),
  'multipart form': () => requestBodyReader(MULTIPART, LIMIT_BYTES),
  'compressed body': gzipReader,
  'deeply nested JSON': () => methodCodeReader(LIMIT_BYTES),
};

afterEach(() => setUnreadBodyListener(undefined));

describe('a body in chunks of one byte that does not end', () => {
  for (const [name, create] of Object.entries(READERS)) {
    it(`holds no more than twice its bytes: ${name}`, () => {
      const readers: Discardable[] = [];
      const before = heldBytes();
      for (let n = 0; n < 20; n++) {
        const reader = create();
        for (let at = 0; at < LIMIT_BYTES; at++) reader.push(Uint8Array.of(0x5b));
        readers.push(reader);
      }
      const perBody = (heldBytes() - before) / readers.length;
      assert.ok(perBody < 2 * LIMIT_BYTES, `${perBody} bytes a body`);
      for (const reader of readers) reader.discard();
      assert.equal(totalKeptBytes(), 0);
    });
  }
});

describe('beyond what all bodies may keep together', () => {
  /** Readers under way that have taken everything. */
  function exhaust(): Discardable[] {
    return Array.from({ length: MAX_KEPT_BYTES / LIMIT_BYTES }, () => {
      const reader = requestBodyReader(FORM, LIMIT_BYTES);
      reader.push(Buffer.alloc(LIMIT_BYTES, 'a'));
      return reader;
    });
  }

  it('bodies are not read and counted once each, until others have ended', () => {
    const unread: string[] = [];
    setUnreadBodyListener((reason) => unread.push(reason));
    const others = exhaust();
    assert.equal(totalKeptBytes(), MAX_KEPT_BYTES);
    assert.equal(unread.length, 0);

    const body = Buffer.from('method_code=F1');
    const form = requestBodyReader(FORM, LIMIT_BYTES);
    for (const byte of body) form.push(Uint8Array.of(byte));
    assert.equal(form.end(true), '');
    assert.deepEqual(unread, ['budget']);

    const response = innerCodeReader(LIMIT_BYTES);
    response.setEncoding('gzip');
    response.push(gzipSync('{"code":1}'));
    response.push(Uint8Array.of(0));
    response.end(true, (codes) => assert.equal(innerCode(codes), '-1'), decompressAtOnce);
    const nested = innerCodeReader(LIMIT_BYTES);
    nested.push(`{"code":1,"x":${'['.repeat(100)}${']'.repeat(100)}}`);
    nested.end(true, (codes) => assert.equal(innerCode(codes), '-1'));
    assert.deepEqual(unread, ['budget', 'budget', 'budget']);
    const plain = innerCodeReader(LIMIT_BYTES);
    plain.push('{"code":1}');
    plain.end(true, (codes) => assert.equal(innerCode(codes), '1'));

    (others.pop() as RequestBodyReader).end(true);
    const next = requestBodyReader(FORM, LIMIT_BYTES);
    next.push(body);
    assert.equal(next.end(true), 'F1');
    for (const reader of others) reader.discard();
    assert.equal(totalKeptBytes(), 0);
  });

  it('a body that is shared with a span is counted once, and neither gets a code', () => {
    const unread: string[] = [];
    setUnreadBodyListener((reason) => unread.push(reason));
    const others = exhaust();
    const shared = () => {
      const reader = innerCodeReader(LIMIT_BYTES);
      reader.share();
      reader.setEncoding('gzip');
      reader.push(gzipSync('{"code":1}'));
      return reader;
    };
    const inTheEnd = (reader: ReturnType<typeof shared>) => {
      let code: string | undefined;
      reader.end(true, (codes) => {
        code = innerCode(codes);
      });
      return code;
    };
    // the span asks before the end, and after it
    const before = shared();
    assert.equal(innerCode(before.readAtOnce(true)), '-1');
    assert.equal(inTheEnd(before), '-1');
    const after = shared();
    assert.equal(inTheEnd(after), '-1');
    assert.equal(innerCode(after.readAtOnce(true)), '-1');
    assert.deepEqual(unread, ['budget', 'budget']);
    for (const reader of others) reader.discard();
    assert.equal(totalKeptBytes(), 0);
  });

  it('bodies whose readers are dropped without an end give theirs back', async () => {
    exhaust();
    // a registry is told in a task of its own after a collection
    for (let tries = 0; totalKeptBytes() > 0 && tries < 50; tries++) {
      collectGarbage();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal(totalKeptBytes(), 0);
  });
});

describe('what a body has kept', () => {
  it('is given back when it has been decompressed in the background', async () => {
    const reader = innerCodeReader(LIMIT_BYTES);
    reader.setEncoding('gzip');
    reader.push(gzipSync('{"code":1}'));
    assert.ok(totalKeptBytes() > 0);
    const code = await new Promise((resolve) => reader.end(true, (codes) => resolve(innerCode(codes))));
    assert.equal(code, '1');
    assert.equal(totalKeptBytes(), 0);
  });

  it('is given back once, however often it is ended or discarded', () => {
    const reader = requestBodyReader(FORM, LIMIT_BYTES);
    reader.push(Buffer.from('method_code=F1'));
    reader.end(true);
    reader.discard();
    reader.push(Buffer.from('method_code=F1'));
    assert.equal(reader.end(true), '');
    const json = innerCodeReader(LIMIT_BYTES);
    json.discard();
    json.discard();
    json.end(true, () => assert.fail('ended after it was discarded'));
    assert.equal(totalKeptBytes(), 0);
  });
});

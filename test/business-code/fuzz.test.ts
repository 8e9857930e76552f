/**
 * The reader against the reference on random bodies, each whole and in pieces: a million with TEST_FULL=1.
 * FUZZ_SEED repeats a run; FUZZ_FACTOR=10 makes it ten times as long as the full one.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BodyReader } from '../../src/business-code/body-reader';
import {
  innerCode,
  innerCodeReader,
  methodCode,
  methodCodeReader,
  partnerCode,
  partnerCodeReader,
} from '../../src/business-code/codes';
import { effort } from '../support/effort';
import { fuzzSeed, Random } from '../support/random';
import { deepJson, longJson, mutate, randomBytes, randomJson } from './inputs';
import { isJsonText, type Outcome, referenceCodes } from './reference';

const SEED = fuzzSeed();
const FACTOR = Number(process.env.FUZZ_FACTOR ?? effort({ short: 0.1, full: 1 }));
const LIMIT = 64 * 1024;

type Feed = (reader: BodyReader) => void;

function readCodes(limitBytes: number, feed: Feed): Outcome {
  const outcome = { inner: '', partner: '', method: '' };
  const inner = innerCodeReader(limitBytes);
  feed(inner);
  inner.end(true, (codes) => {
    outcome.inner = innerCode(codes);
  });
  const partner = partnerCodeReader(limitBytes);
  feed(partner);
  partner.end(true, (codes) => {
    outcome.partner = partnerCode(codes);
  });
  const method = methodCodeReader(limitBytes);
  feed(method);
  method.end(true, (codes) => {
    outcome.method = methodCode(codes);
  });
  return outcome;
}

/** Where a body is cut: nowhere near, often, or at every byte. */
function cuts(random: Random, length: number): number[] {
  const longest = random.pick([1, 3, 16, 200, 1024, 5000]);
  const ends: number[] = [];
  for (let at = 0; at < length; ) {
    at = Math.min(length, at + (longest === 1 ? 1 : random.below(longest + 1)));
    ends.push(at);
  }
  return ends;
}

function check(random: Random, body: Buffer, limitBytes: number, input: number): void {
  const expected = referenceCodes(body, limitBytes);
  const ends = cuts(random, body.length);
  const whole = readCodes(limitBytes, (reader) => reader.push(body));
  const inPieces = readCodes(limitBytes, (reader) => {
    let start = 0;
    for (const end of ends) {
      reader.push(body.subarray(start, end));
      start = end;
    }
  });
  for (const [how, seen] of [
    ['whole', whole],
    [`cut at ${ends.slice(0, 50)}`, inPieces],
  ] as const) {
    if (seen.inner === expected.inner && seen.partner === expected.partner && seen.method === expected.method) continue;
    const text = body.length > 500 ? `${body.length} bytes` : JSON.stringify(body.toString('latin1'));
    assert.deepEqual(
      seen,
      expected,
      `FUZZ_SEED=${SEED}, input ${input}, limit ${limitBytes}, read ${how}: ${text}\n${body.toString('base64')}`,
    );
  }
}

const KINDS: readonly {
  title: string;
  count: number;
  make: (random: Random) => Buffer;
  limit?: (random: Random, body: Buffer) => number;
}[] = [
  { title: 'JSON of every shape', count: 400_000, make: (random) => Buffer.from(randomJson(random)) },
  {
    title: 'JSON gone wrong in a few places',
    count: 350_000,
    make: (random) => mutate(random, Buffer.from(randomJson(random))),
  },
  { title: 'noise', count: 150_000, make: randomBytes },
  {
    title: 'bodies over the limit',
    count: 100_000,
    make: (random) => {
      const body = Buffer.from(randomJson(random));
      return random.once(3) ? mutate(random, body) : body;
    },
    limit: (random, body) => random.below(body.length + 3),
  },
  {
    title: 'long bodies, checked only some way behind the code',
    count: 12_000,
    make: longJson,
    limit: (random, body) => (random.once(2) ? LIMIT : random.below(body.length + 3)),
  },
  { title: 'nesting', count: 3_000, make: (random) => Buffer.from(deepJson(random, 300)) },
];

describe('the code reader answers as the reference', () => {
  for (const [index, { title, count, make, limit }] of KINDS.entries()) {
    const total = Math.ceil(count * FACTOR);
    it(`on ${total} inputs: ${title}`, (t) => {
      const start = performance.now();
      for (let input = 0; input < total; input++) {
        const random = new Random(SEED + index * 0x1000_0000 + input * 7919);
        const body = make(random);
        check(random, body, limit?.(random, body) ?? LIMIT, input);
      }
      const seconds = (performance.now() - start) / 1000;
      t.diagnostic(`FUZZ_SEED=${SEED}: ${total} inputs in ${seconds.toFixed(1)} s, ${(total / seconds).toFixed(0)}/s`);
    });
  }

  it('and the reference knows JSON as the runtime does', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    for (let input = 0; input < 20_000; input++) {
      const random = new Random(SEED + input);
      const body = random.once(2) ? mutate(random, Buffer.from(randomJson(random))) : randomBytes(random);
      let isJson = true;
      try {
        JSON.parse(decoder.decode(body));
      } catch {
        isJson = false;
      }
      assert.equal(isJsonText(body), isJson, `FUZZ_SEED=${SEED}, input ${input}: ${body.toString('base64')}`);
    }
  });
});

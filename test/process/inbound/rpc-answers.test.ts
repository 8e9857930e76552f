/** Answers of remote methods over HTTP/1.1, whole, in pieces and hostile, as they are sent and as a partner sends them. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { INNER, PARTNER } from '../../support/app';
import type { Metrics } from '../../support/metrics';
import { answered, called, counted, RpcPrograms, seenBy } from '../../support/rpc';
import { freePort } from '../../support/waiting';

/** Of each answer; a second code is what fetch cannot see. */
const CODES: Readonly<Record<string, readonly [code: string, byFetch?: string]>> = {
  Web: ['5'],
  Bytes: ['5'],
  Text: ['5'],
  TextInPieces: ['5'],
  HeadAlone: ['7'],
  Compressed: ['-1'],
  Huge: ['-1'],
  Connect: ['internal'],
  Trailers: ['9', '-1'],
  Json: ['down'],
};

describe('answers of remote methods over HTTP/1.1', () => {
  const programs = new RpcPrograms();
  const names = Object.keys(CODES);
  let inner: Metrics;
  let outer: Metrics;
  let seen: readonly ReadonlyMap<string, unknown>[];
  before(async () => {
    const paths = Object.fromEntries(names.map((name) => [`/test.Odd/${name}`, name]));
    const run = async (isMeasured: boolean) => {
      const port = await freePort();
      return programs.client('test/fixtures/apps/rpc-answers.js', [String(port)], port, paths, isMeasured);
    };
    const [measured, bare] = await Promise.all([run(true), run(false)]);
    seen = [seenBy(measured), seenBy(bare)];
    inner = await counted(measured, INNER, 2 * names.length);
    outer = await counted(measured, PARTNER, 2 * names.length);
  });
  after(() => programs.end());

  it('change nothing of what is received', () => {
    assert.equal(seen[0]?.size, names.length);
    assert.deepEqual(seen[0], seen[1]);
  });

  for (const [name, [code, byFetch = code]] of Object.entries(CODES)) {
    it(`have the code ${code} of ${name}`, () => {
      assert.deepEqual(answered(inner, `/test.Odd/${name}`), [`200|${code} ×2`]);
      const expected = code === byFetch ? [`200|${code} ×2`] : [`200|${byFetch}`, `200|${code}`];
      assert.deepEqual(called(outer, name), expected);
    });
  }
});

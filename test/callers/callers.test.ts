/** What a User-Agent is called, and what asking costs at the worst. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Callers } from '../../src/callers/callers';
import { parseCallers } from '../../src/callers/check';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const named = (callers: Record<string, string>, rest = 'kept') => {
  const { rules, problems } = parseCallers({ callers, rest });
  assert.deepEqual(problems, []);
  return new Callers(rules);
};

const LONG = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36';

describe('a caller', () => {
  it('has the first twenty characters of its User-Agent where no file names any', () => {
    const callers = new Callers();
    const cases: readonly [userAgent: string | undefined, fCode: string][] = [
      [undefined, ''],
      ['', ''],
      ['curl/7.88.1', 'curl/7.88.1'],
      ['12345678901234567890', '12345678901234567890'],
      ['123456789012345678901', '12345678901234567890...'],
    ];
    for (const [userAgent, fCode] of cases) assert.equal(callers.fCode(userAgent), fCode);
  });

  it('has the name of its whole User-Agent, then of the first pattern', () => {
    const callers = named({ 'axios/1.*': 'one', 'axios/*': 'axios', 'axios/1.7.9': 'exact', '*Chrome/*': 'browser' });
    for (const again of [1, 2]) {
      assert.equal(callers.fCode('axios/1.7.9'), 'exact', `asked ${again}`);
      assert.equal(callers.fCode('axios/1.7.8'), 'one');
      assert.equal(callers.fCode('axios/0.27'), 'axios');
      assert.equal(callers.fCode(LONG), 'browser');
      assert.equal(callers.fCode('Axios/1.7.9'), 'Axios/1.7.9');
      assert.equal(callers.fCode('python-requests/2.31.0'), 'python-requests/2.31...');
      assert.equal(callers.fCode(undefined), '');
    }
  });

  it('that no entry names is other, where the file says so', () => {
    const callers = named({ 'axios/*': 'axios' }, 'other');
    assert.equal(callers.fCode('axios/1'), 'axios');
    assert.equal(callers.fCode('curl/8'), 'other');
    assert.equal(callers.fCode(''), '');
    assert.equal(callers.fCode(undefined), '');
    assert.equal(named({}, 'other').fCode('curl/8'), 'other');
  });

  it('has its new name at once when other rules come into force', () => {
    const callers = named({ 'axios/*': 'axios' });
    assert.equal(callers.fCode('axios/1'), 'axios');
    callers.use({ entries: [['axios/*', 'shop']], rest: 'other' });
    assert.equal(callers.fCode('axios/1'), 'shop');
    assert.equal(callers.fCode('curl/8'), 'other');
  });

  it('is compared by the first 512 characters', () => {
    const callers = named({ '*end': 'end', 'a*': 'a' });
    assert.equal(callers.fCode(`${'b'.repeat(509)}end`), 'end');
    assert.equal(callers.fCode(`${'b'.repeat(510)}end`), `${'b'.repeat(20)}...`);
    assert.equal(callers.fCode(`a${'b'.repeat(600)}`), 'a');
    assert.equal(callers.fCode(`${'b'.repeat(509)}end${'b'.repeat(100)}`), 'end');
  });

  it('keeps its name whatever many others are called meanwhile', () => {
    const callers = named({ 'axios/*': 'axios' }, 'other');
    for (let n = 0; n < 5_000; n++) {
      assert.equal(callers.fCode(`made-up/${n}`), 'other');
      assert.equal(callers.fCode('axios/1'), 'axios');
    }
  });
});

/** Sixteen KiB are all headers of a request together. */
const HEADER_BYTES = 16 * 1024;

describe('whoever makes up User-Agents', () => {
  /** As many patterns as a file may have, each of which compares much and matches nothing. */
  const costly = (pattern: (n: number) => string) =>
    named(Object.fromEntries(Array.from({ length: 200 }, (_, n) => [pattern(n), 'never'])));
  const cases: readonly { name: string; callers: Callers; userAgent: (n: number) => string }[] = [
    {
      name: 'that almost match',
      callers: costly((n) => `*${'a'.repeat(60)}${n}-*`),
      userAgent: (n) => `${n}${'a'.repeat(HEADER_BYTES)}`,
    },
    {
      name: 'that almost match from behind',
      callers: costly((n) => `*-${n}${'a'.repeat(60)}*`),
      userAgent: (n) => `${'a'.repeat(400)}x${n}${'a'.repeat(HEADER_BYTES)}`,
    },
    {
      name: 'that match all but the last part',
      callers: costly((n) => `${'*a'.repeat(60)}*-${n}-`),
      userAgent: (n) => `${n}${'a'.repeat(HEADER_BYTES)}`,
    },
    {
      name: 'with the beginning of every pattern',
      callers: costly((n) => `Mozilla/5.0 (*; *) *Chrome/${n}.*`),
      userAgent: (n) => `Mozilla/5.0 (${n}; ${'; ) Chrome/'.repeat(HEADER_BYTES / 10)}`,
    },
  ];
  for (const { name, callers, userAgent } of cases) {
    it(`${name} costs each request less than a millisecond`, (test) => {
      for (let n = 0; n < 200; n++) callers.fCode(userAgent(n));
      const texts = Array.from({ length: 1_000 }, (_, n) => userAgent(1_000 + n));
      const started = process.cpuUsage();
      for (const text of texts) assert.notEqual(callers.fCode(text), 'never');
      const { user, system } = process.cpuUsage(started);
      const each = (user + system) / 1_000 / texts.length;
      test.diagnostic(`${(each * 1_000).toFixed(0)} µs each`);
      assert.ok(each < 1, `${each} ms each`);
    });
  }

  it('leave no more in memory than the User-Agents seen last, cut', () => {
    const callers = named({ 'axios/*': 'axios' });
    for (let n = 0; n < 20_000; n++) callers.fCode(Buffer.alloc(HEADER_BYTES, `made-up/${n} `).toString());
    collectGarbage();
    const { heapUsed } = process.memoryUsage();
    assert.equal(callers.fCode('axios/1'), 'axios');
    // forgets them
    callers.use({ entries: [], rest: 'kept' });
    collectGarbage();
    const held = heapUsed - process.memoryUsage().heapUsed;
    assert.ok(held > 256 * 1024 && held < 2 * 1024 * 1024, `${held} bytes are held`);
  });
});

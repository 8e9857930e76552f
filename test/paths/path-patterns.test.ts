/** Which pattern of a paths file a path has, and what asking costs at the worst. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compilePattern, isPattern } from '../../src/files/path-pattern';
import { parsePaths } from '../../src/paths/check';
import { ConcretePaths } from '../../src/paths/concrete-paths';

const named = (patterns: readonly string[], isGeneral = false) => {
  const { rules, problems } = parsePaths({ paths: [...patterns] });
  assert.deepEqual(problems, []);
  return new ConcretePaths(isGeneral, rules);
};

describe('a path', () => {
  it('has the whole path, then the first pattern, then itself', () => {
    const paths = named(['/orders/:id/items', '/orders/:id', '/orders/*', '/orders/new', '/', '/u/:name/*', '/a//b']);
    const cases: Readonly<Record<string, string>> = {
      '/orders/new': '/orders/new',
      '/orders/17': '/orders/:id',
      '/orders/17/items': '/orders/:id/items',
      '/orders/17/items/3': '/orders/*',
      '/orders/': '/orders/*',
      '/orders': '/orders',
      '/Orders/17': '/Orders/17',
      '/': '/',
      '': '',
      '/u/anna': '/u/anna',
      '/u/anna/': '/u/:name/*',
      '/u//a': '/u//a',
      '/a//b': '/a//b',
      '/a/b': '/a/b',
      '*': '*',
      'orders/17': 'orders/17',
    };
    for (const [path, label] of Object.entries(cases)) assert.equal(paths.labelOf(path), label, path);
  });

  it('is generalised where no pattern matches, and only where that is on', () => {
    const patterns = ['/orders/:number', '/status/200'];
    assert.equal(named(patterns, true).labelOf('/orders/17'), '/orders/:number');
    assert.equal(named(patterns, true).labelOf('/status/200'), '/status/200');
    assert.equal(named(patterns, true).labelOf('/status/201'), '/status/:id');
    assert.equal(named(patterns).labelOf('/status/201'), '/status/201');
    assert.equal(new ConcretePaths(false).labelOf('/status/201'), '/status/201');
  });

  it('has its new pattern at once when other rules come into force', () => {
    const paths = named(['/a/:b']);
    paths.use({ patterns: ['/a/*'] });
    assert.equal(paths.labelOf('/a/1'), '/a/*');
    paths.use({ patterns: [] });
    assert.equal(paths.labelOf('/a/1'), '/a/1');
  });

  it('has the pattern that each of them compared one after the other would give', () => {
    const pick = <T>(from: readonly T[]) => from[Math.floor(Math.random() * from.length)] as T;
    const segments = (choice: readonly string[], most: number) =>
      Array.from({ length: 1 + Math.floor(Math.random() * most) }, () => pick(choice));
    for (let round = 0; round < 300; round++) {
      const patterns = Array.from(
        { length: 12 },
        () => `/${[...segments(['a', 'b', ':p', ':q', ''], 4), ...pick([[], ['*']])].join('/')}`,
      );
      const paths = new ConcretePaths(false, { patterns });
      for (let n = 0; n < 50; n++) {
        const path = `/${segments(['a', 'b', 'c', ''], 5).join('/')}`;
        const whole = patterns.find((each) => !isPattern(each) && each === path);
        const first = patterns.find((each) => isPattern(each) && compilePattern(each).test(path));
        assert.equal(paths.labelOf(path), whole ?? first ?? path, `${path} among ${patterns}`);
      }
    }
  });
});

describe('a hostile path', () => {
  const BYTES = 8 * 1024;
  /** As many patterns as a file may have: every way through them is open until the last segment. */
  const branching = Array.from({ length: 512 }, (_, n) => {
    const way = n.toString(2).padStart(9, '0').replaceAll('0', 'a/').replaceAll('1', ':p/');
    return `/${way}last`;
  });
  const wide = Array.from({ length: 1_000 }, (_, n) => `/:p/${n}/x`);
  const cases: Readonly<Record<string, readonly [patterns: readonly string[], path: string]>> = {
    'that keeps every way open': [branching, `/${'a/'.repeat(BYTES / 2)}`],
    'with one long segment': [branching, `/${'a'.repeat(BYTES)}/last`],
    'with a long second segment': [wide, `/a/${'1'.repeat(BYTES)}`],
    'of slashes': [wide, '/'.repeat(BYTES)],
  };
  for (const [name, [patterns, path]] of Object.entries(cases)) {
    it(`${name} costs less than a quarter of a millisecond`, (test) => {
      const paths = named(patterns);
      for (let n = 0; n < 500; n++) paths.labelOf(path);
      let least = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 5; round++) {
        const started = process.cpuUsage();
        for (let n = 0; n < 200; n++) assert.equal(paths.labelOf(path), path);
        const { user, system } = process.cpuUsage(started);
        least = Math.min(least, (user + system) / 200);
      }
      test.diagnostic(`${least.toFixed(1)} µs`);
      assert.ok(least < 250, `${least} µs`);
    });
  }
});

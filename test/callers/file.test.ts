import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parseCallers } from '../../src/callers/check';
import { parseCallersText, readCallersFile } from '../../src/callers/file';
import { describedFiles } from '../support/described-files';
import { FIXTURES } from '../support/paths';

const FORMAT = describedFiles({
  folder: 'callers',
  schema: 'callers.schema.json',
  problemsOf: (file) => readCallersFile(file).problems,
  expectedOfJson: {
    'several.bad.json': 'CHX_CALLERS_REST 3:11, CHX_CALLER_NAME 2:27, CHX_CALLER_PATTERN 2:33',
    'syntax.bad.json': 'CHX_CALLERS_SYNTAX 3:3, CHX_CALLERS_SYNTAX 4:1 beyond the schema',
  },
});
const { isOfSchema } = FORMAT;

describe('a good callers file', () => {
  for (const { name, path } of FORMAT.good) {
    it(`${name} is accepted by the check and by the schema`, () => {
      assert.deepEqual(readCallersFile(path).problems, []);
      assert.ok(FORMAT.isAcceptedBySchema(path), JSON.stringify(isOfSchema.errors));
    });
  }

  it('is every example of the schema', () => {
    for (const example of FORMAT.examples) {
      assert.ok(isOfSchema(example));
      assert.deepEqual(parseCallers(example).problems, []);
    }
  });

  it('has its entries in order, and a number as it is written', () => {
    const { rules } = readCallersFile(join(FIXTURES, 'callers/full.good.yaml'));
    assert.equal(rules.rest, 'other');
    assert.deepEqual(rules.entries[0], ['curl/8.5.0', 'operator']);
    assert.deepEqual(rules.entries.at(-1), ['*', '0120']);
    assert.equal(rules.entries.length, 6);
  });

  it('has room for a thousand callers, two hundred of them patterns', () => {
    const callers = (exact: number, patterns: number) => ({
      callers: Object.fromEntries(
        Array.from({ length: exact + patterns }, (_, n) => [n < patterns ? `p${n}/*` : `exact/${n}`, 'a']),
      ),
    });
    assert.deepEqual(parseCallers(callers(800, 200)).problems, []);
    assert.ok(isOfSchema(callers(800, 200)));
    const [many, ...none] = parseCallers(callers(801, 200)).problems;
    assert.match(many?.message ?? '', /^CHX_CALLER_PATTERN: .* has more than 1000 entries; got "exact\/1000"/);
    assert.deepEqual(none, []);
    assert.ok(!isOfSchema(callers(801, 200)));
    const [pattern] = parseCallers(callers(0, 201)).problems;
    assert.match(pattern?.message ?? '', /^CHX_CALLER_PATTERN: .* has more than 200 patterns; got "p200\/\*"/);
  });
});

describe('a bad callers file', () => {
  for (const { name, path, expected, isBeyondSchema } of FORMAT.bad) {
    it(`${name} is refused with all its problems and their places, and none of it is used`, () => {
      assert.equal(FORMAT.codesAndPlaces(path), expected);
      assert.deepEqual(readCallersFile(path).rules, { entries: [], rest: 'kept' });
    });
    it(`${name} is ${isBeyondSchema ? 'beyond what a schema can say' : 'refused by the schema too'}`, () => {
      assert.equal(FORMAT.isAcceptedBySchema(path), isBeyondSchema);
    });
  }

  it('is told the near spelling, and what to write instead', () => {
    const remedies: readonly [text: string, remedy: RegExp][] = [
      ['callers: {}\nrests: other', /Did you mean rest\?$/],
      ['caller: {}', /Did you mean callers\?/],
      ['callers: {}\nrest: keep', /Did you mean kept\?$/],
      ['callers: { axios: axios/* }', /The pattern is the key, and the name its value\.$/],
      ['callers:\n  *Chrome/*: browser', /In YAML, a text that begins with \* is in quotes\.$/],
      ['callers: { a*: a, ab*: b }', /taken by a\* before it; .* Move it before the wider pattern, or remove it\.$/],
    ];
    for (const [text, remedy] of remedies) {
      assert.match(parseCallersText(text, 'f').problems[0]?.message ?? '', remedy);
    }
  });

  it('has no more problems told than can be read', () => {
    const callers = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`c${index}`, null]));
    const { problems } = parseCallers({ callers });
    assert.equal(problems.length, 51);
    assert.match(problems[50]?.message ?? '', /^CHX_CALLERS_SHAPE: the callers file has 950 more problems/);
  });
});

describe('a callers file that cannot be read', () => {
  const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-'));
  after(() => rmSync(folder, { recursive: true }));
  const written = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const cases: readonly [title: string, file: string, message: RegExp][] = [
    ['is missing', join(folder, 'missing.yaml'), /ENOENT/],
    ['is a device', '/dev/zero', /it is not a file/],
    ['is too large', written('large.yaml', '#'.repeat(256 * 1024 + 1)), /it has 262145 bytes, more than 262144/],
    ['is not UTF-8', written('latin1.yaml', Buffer.from('callers: {} # é', 'latin1')), /not valid|invalid/],
  ];
  for (const [title, file, message] of cases) {
    it(`${title} and is reported with its path`, () => {
      const { problems } = readCallersFile(file);
      assert.equal(problems.length, 1);
      assert.match(problems[0]?.message ?? '', /^CHX_CALLERS_UNREADABLE: /);
      assert.match(problems[0]?.message ?? '', message);
      assert.ok(problems[0]?.message.includes(`got ${JSON.stringify(file)}`));
    });
  }
});

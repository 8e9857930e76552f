import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020';
import { parse } from 'yaml';
import { parseCallers } from '../../src/callers/check';
import { parseCallersText, readCallersFile } from '../../src/callers/file';
import { FIXTURES, ROOT } from '../support/paths';

const FOLDER = join(FIXTURES, 'callers');
const FILES = readdirSync(FOLDER).sort();
const schema = JSON.parse(readFileSync(join(ROOT, 'schema/callers.schema.json'), 'utf8'));
const isOfSchema = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true }).compile(schema);

/** What JSON files, which have no comments, expect; a YAML file says it in its first line. */
const EXPECTED_OF_JSON: Readonly<Record<string, string>> = {
  'several.bad.json': 'CHX_CALLERS_REST 3:11, CHX_CALLER_NAME 2:27, CHX_CALLER_PATTERN 2:33',
  'syntax.bad.json': 'CHX_CALLERS_SYNTAX 3:3, CHX_CALLERS_SYNTAX 4:1 beyond the schema',
};

/** The value as the schema's own readers see it; undefined for a text that is none. */
function plainValue(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100, logLevel: 'silent' });
  } catch {
    return undefined;
  }
}

/** Problems as codes and places, in the order in which they are told. */
function codesAndPlaces(file: string): string {
  return readCallersFile(file)
    .problems.map(({ code, message }) => `${code} ${/:(\d+:\d+)\b/.exec(message.replace(file, ''))?.[1]}`)
    .join(', ');
}

describe('a good callers file', () => {
  for (const name of FILES.filter((each) => each.includes('.good.'))) {
    it(`${name} is accepted by the check and by the schema`, () => {
      assert.deepEqual(readCallersFile(join(FOLDER, name)).problems, []);
      const value = plainValue(readFileSync(join(FOLDER, name), 'utf8'));
      assert.ok(isOfSchema(value), JSON.stringify(isOfSchema.errors));
    });
  }

  it('is every example of the schema', () => {
    for (const example of schema.examples) {
      assert.ok(isOfSchema(example));
      assert.deepEqual(parseCallers(example).problems, []);
    }
  });

  it('has its entries in order, and a number as it is written', () => {
    const { rules } = readCallersFile(join(FOLDER, 'full.good.yaml'));
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
  for (const name of FILES.filter((each) => each.includes('.bad.'))) {
    const text = readFileSync(join(FOLDER, name), 'utf8');
    const expected = /^# expects (.*)$/m.exec(text)?.[1] ?? EXPECTED_OF_JSON[name];
    const codes = expected?.replace(' beyond the schema', '');
    it(`${name} is refused with all its problems and their places, and none of it is used`, () => {
      assert.equal(codesAndPlaces(join(FOLDER, name)), codes);
      assert.deepEqual(readCallersFile(join(FOLDER, name)).rules, { entries: [], rest: 'kept' });
    });
    it(`${name} is ${codes === expected ? 'refused by the schema too' : 'beyond what a schema can say'}`, () => {
      const value = plainValue(text);
      assert.equal(value === undefined || isOfSchema(value), codes !== expected);
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

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parsePaths } from '../../src/paths/check';
import { parsePathsText, readPathsFile } from '../../src/paths/file';
import { describedFiles } from '../support/described-files';
import { FIXTURES } from '../support/paths';

const FORMAT = describedFiles({
  folder: 'paths',
  schema: 'paths.schema.json',
  problemsOf: (file) => readPathsFile(file).problems,
  expectedOfJson: {
    'several.bad.json': 'CHX_PATHS_KEY 3:3, CHX_PATH_PATTERN 2:13, CHX_PATH_PATTERN 2:23',
  },
});
const { isOfSchema } = FORMAT;

describe('a good paths file', () => {
  for (const { name, path } of FORMAT.good) {
    it(`${name} is accepted by the check and by the schema`, () => {
      assert.deepEqual(readPathsFile(path).problems, []);
      assert.ok(FORMAT.isAcceptedBySchema(path), JSON.stringify(isOfSchema.errors));
    });
  }

  it('is every example of the schema', () => {
    for (const example of FORMAT.examples) {
      assert.ok(isOfSchema(example));
      assert.deepEqual(parsePaths(example).problems, []);
    }
  });

  it('has its entries in order', () => {
    const { rules } = readPathsFile(join(FIXTURES, 'paths/full.good.json'));
    assert.deepEqual(rules.patterns, ['/orders/*', '/u/:name', '/u/:name/*', '/*']);
  });

  it('has room for a thousand paths of 255 characters', () => {
    const paths = (count: number) => ({
      paths: Array.from({ length: count }, (_, n) => `/${String(n).padStart(6, '0')}${'中'.repeat(246)}/*`),
    });
    const good = paths(1_000);
    assert.deepEqual(parsePaths(good).problems, []);
    assert.ok(isOfSchema(good));
    assert.ok(Buffer.byteLength(JSON.stringify(good)) < 1024 * 1024);
    const [many, ...none] = parsePaths(paths(1_001)).problems;
    assert.match(many?.message ?? '', /^CHX_PATH_PATTERN: .* has more than 1000 entries; got "\/001000/);
    assert.deepEqual(none, []);
    assert.ok(!isOfSchema(paths(1_001)));
    const long = { paths: [`/${'a'.repeat(255)}`] };
    assert.match(parsePaths(long).problems[0]?.message ?? '', /is longer than 255 characters/);
    assert.ok(!isOfSchema(long));
  });
});

describe('a bad paths file', () => {
  for (const { name, path, expected, isBeyondSchema } of FORMAT.bad) {
    it(`${name} is refused with all its problems and their places, and none of it is used`, () => {
      assert.equal(FORMAT.codesAndPlaces(path), expected);
      assert.deepEqual(readPathsFile(path).rules, { patterns: [] });
    });
    it(`${name} is ${isBeyondSchema ? 'beyond what a schema can say' : 'refused by the schema too'}`, () => {
      assert.equal(FORMAT.isAcceptedBySchema(path), isBeyondSchema);
    });
  }

  it('is told what to write instead', () => {
    const remedies: readonly [text: string, remedy: RegExp][] = [
      ['path: []', /Did you mean paths\?/],
      ['paths: ["/orders/{id}"]', /Write \/orders\/:id\.$/],
      ['paths: [/a%20b]', /compared decoded; .* Write the character itself/],
      ['paths: [/a/*, /a/:b]', /taken by \/a\/\* before it; .* Move it before the wider pattern, or remove it\.$/],
    ];
    for (const [text, remedy] of remedies) assert.match(parsePathsText(text, 'f').problems[0]?.message ?? '', remedy);
  });

  it('has no more problems told than can be read', () => {
    const { problems } = parsePaths({ paths: Array.from({ length: 1000 }, () => 'a') });
    assert.equal(problems.length, 51);
    assert.match(problems[50]?.message ?? '', /^CHX_PATHS_SHAPE: the paths file has 950 more problems/);
  });
});

describe('a paths file that cannot be read', () => {
  const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-'));
  after(() => rmSync(folder, { recursive: true }));
  const written = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const cases: readonly [title: string, file: string, message: RegExp][] = [
    ['is missing', join(folder, 'missing.yaml'), /ENOENT/],
    ['is a device', '/dev/zero', /it is not a file/],
    ['is too large', written('large.yaml', '#'.repeat(1024 * 1024 + 1)), /it has 1048577 bytes, more than 1048576/],
    ['is not UTF-8', written('latin1.yaml', Buffer.from('paths: [] # é', 'latin1')), /not valid|invalid/],
  ];
  for (const [title, file, message] of cases) {
    it(`${title} and is reported with its path`, () => {
      const { problems } = readPathsFile(file);
      assert.equal(problems.length, 1);
      assert.match(problems[0]?.message ?? '', /^CHX_PATHS_UNREADABLE: /);
      assert.match(problems[0]?.message ?? '', message);
      assert.ok(problems[0]?.message.includes(`got ${JSON.stringify(file)}`));
    });
  }
});

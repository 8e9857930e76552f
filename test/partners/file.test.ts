import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parsePartnerDirectory } from '../../src/partners/check';
import { PartnerDirectory } from '../../src/partners/directory';
import { parsePartnerText, readPartnerFile } from '../../src/partners/file';
import { PRESET_HOSTS } from '../../src/partners/presets';
import preset from '../../src/partners/presets/partners.preset.json';
import { describedFiles } from '../support/described-files';

const FORMAT = describedFiles({
  folder: 'partners',
  schema: 'partners.schema.json',
  problemsOf: (file) => readPartnerFile(file).problems,
  expectedOfJson: {
    'several.bad.json': 'CHX_PARTNER_CODE 3:23, CHX_PARTNER_HOST 4:5, CHX_PARTNER_PATTERN 4:41',
    'syntax.bad.json': 'CHX_PARTNERS_SYNTAX 3:25 beyond the schema',
  },
});
const { isOfSchema } = FORMAT;

describe('a good partner file', () => {
  for (const { name, path } of FORMAT.good) {
    it(`${name} is accepted by the check and by the schema`, () => {
      assert.deepEqual(readPartnerFile(path).problems, []);
      assert.ok(FORMAT.isAcceptedBySchema(path), JSON.stringify(isOfSchema.errors));
    });
  }

  it('is the preset, with its 13 hosts', () => {
    assert.deepEqual(parsePartnerDirectory(preset).problems, []);
    assert.equal(PRESET_HOSTS.length, 13);
    assert.ok(isOfSchema(preset));
  });

  it('is every example of the schema', () => {
    for (const example of FORMAT.examples) {
      assert.ok(isOfSchema(example));
      assert.deepEqual(parsePartnerDirectory(example).problems, []);
    }
  });

  it('keeps a code as it is written, leading zeros and long numbers too', () => {
    const codes = (text: string) => parsePartnerText(text, 'f').hosts.map(({ partner }) => partner);
    const long = '12345678901234567890123';
    assert.deepEqual(codes(`hosts: { a: { partner: 0120 }, b: { partner: ${long} }, c: { partner: -1 } }`), [
      '0120',
      long,
      '-1',
    ]);
    assert.deepEqual(codes(`{"hosts":{"a":{"partner":0},"b":{"partner":${long}},"c":{"partner":"0120"}}}`), [
      '0',
      long,
      '0120',
    ]);
    const { hosts } = parsePartnerDirectory({ hosts: { a: { partner: '0120', paths: { '/': 120 } } } });
    assert.deepEqual(hosts[0]?.partner, '0120');
    assert.deepEqual(hosts[0]?.paths, [['/', '120']]);
  });

  it('as an option has no number that has lost digits', () => {
    const { problems } = parsePartnerDirectory({ hosts: { a: { partner: 2 ** 53 } } });
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['CHX_PARTNER_CODE'],
    );
  });
});

describe('a bad partner file', () => {
  for (const { name, path, expected, isBeyondSchema } of FORMAT.bad) {
    it(`${name} is refused with all its problems and their places`, () => {
      assert.equal(FORMAT.codesAndPlaces(path), expected);
    });
    it(`${name} is ${isBeyondSchema ? 'beyond what a schema can say' : 'refused by the schema too'}`, () => {
      assert.equal(FORMAT.isAcceptedBySchema(path), isBeyondSchema);
    });
  }

  it('with a parameter in braces, as OpenAPI writes it, is told the spelling with a colon', () => {
    const paths = { '/orders/{id}/items/{item-no}': 1, '/a{b}c': 2, '/{}/{2nd}': 3 };
    const { problems } = parsePartnerDirectory({ hosts: { a: { partner: 1, paths } } });
    assert.deepEqual(
      problems.map(({ code, message }) => `${code} ${/Write .*$/.exec(message)?.[0]}`),
      [
        'CHX_PARTNER_PATTERN Write /orders/:id/items/:item_no.',
        'CHX_PARTNER_PATTERN Write /a%7Bb%7Dc.',
        'CHX_PARTNER_PATTERN Write /:_/:_2nd.',
      ],
    );
  });

  it('has no more problems told than can be read', () => {
    const hosts = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`h${index}`, { partner: null }]));
    const { problems } = parsePartnerDirectory({ hosts });
    assert.equal(problems.length, 51);
    assert.match(problems[50]?.message ?? '', /has 950 more problems/);
  });

  it('has no more patterns for a host than are tried in passing', () => {
    const paths = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`/:a/${i}`, 1]));
    assert.deepEqual(parsePartnerDirectory({ hosts: { a: { partner: 1, paths: paths(1000) } } }).problems, []);
    const { problems } = parsePartnerDirectory({ hosts: { a: { partner: 1, paths: paths(1001) } } });
    assert.match(problems[0]?.message ?? '', /^CHX_PARTNER_PATTERN: .* has more than 1000 patterns; got "\/:a\/1000"/);
  });

  it('is none for a path of other characters, as the recorded directories have them', () => {
    const hosts = { a: { partner: 1, paths: { '/a b': 1, '/中': 2 } } };
    assert.deepEqual(parsePartnerDirectory({ hosts }).problems, []);
    assert.ok(isOfSchema({ hosts }));
  });
});

describe('a text that only means harm', () => {
  const repeat = (unit: string, count = 200_000) => unit.repeat(count);
  const cases: Readonly<Record<string, string>> = {
    'brackets without end': repeat('['),
    'braces without end': repeat('{a: '),
    'dashes without end': repeat('- '),
    'keys in keys': repeat('? '),
    'values in values': repeat('a: '),
    'tagged lists in lists': repeat('- !a '),
    'ever deeper lines': Array.from({ length: 500 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
    'keys in a flow list': `[${repeat('? ')}`,
    commas: `{${repeat(',')}`,
    'closed brackets': repeat('}', 100_000),
    'empty lists': repeat('[]', 100_000),
    backslashes: `"${repeat('\\')}`,
    'an alias of itself': 'hosts: &a { b: *a }',
    'a list in itself': '&a [*a]',
    'an alias bomb': `a0: &a0 [1]\n${Array.from({ length: 60 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i},*a${i}]`).join('\n')}`,
    'aliases by the thousand': `a: &a 1\nhosts: [${repeat('*a,', 40_000)}]`,
    'merge keys that merge nothing': '%YAML 1.1\n---\n<<: 1\nhosts: { <<: [1] }',
    'an alias to nothing': 'hosts: *nothing',
    'a prototype': '{"__proto__":{"hosts":{}},"constructor":1}',
  };
  for (const [title, text] of Object.entries(cases)) {
    it(`is refused within seconds: ${title}`, () => {
      const started = performance.now();
      const { hosts, problems } = parsePartnerText(text, 'f');
      assert.deepEqual(hosts, []);
      assert.ok(problems.length > 0 && problems.length <= 51, `${problems.length} problems`);
      assert.ok(performance.now() - started < 60_000);
    });
  }
});

describe('a partner file that cannot be read', () => {
  const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-'));
  after(() => rmSync(folder, { recursive: true }));
  const written = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const cases: readonly [title: string, file: string, message: RegExp][] = [
    ['is missing', join(folder, 'missing.yaml'), /ENOENT/],
    ['is a folder', folder, /it is not a file/],
    ['is a device', '/dev/zero', /it is not a file/],
    ['is too large', written('large.yaml', '#'.repeat(1024 * 1024 + 1)), /it has 1048577 bytes, more than 1048576/],
    ['is not UTF-8', written('latin1.yaml', Buffer.from('hosts: {} # é', 'latin1')), /not valid|invalid/],
    ['has a name that no file can have', 'a\0b', /null bytes/],
  ];
  for (const [title, file, message] of cases) {
    it(`${title} and is reported with its path`, () => {
      const { hosts, problems } = readPartnerFile(file);
      assert.deepEqual(hosts, []);
      assert.equal(problems.length, 1);
      assert.equal(problems[0]?.code, 'CHX_PARTNERS_UNREADABLE');
      assert.match(problems[0]?.message ?? '', message);
      assert.ok(problems[0]?.message.includes(`got ${JSON.stringify(file)}`));
    });
  }

  it('is read behind a byte order mark', () => {
    const { hosts, problems } = readPartnerFile(written('mark.json', '\ufeff{"hosts":{"a":{"partner":1}}}'));
    assert.deepEqual(problems, []);
    assert.equal(new PartnerDirectory(hosts).find('http:', 'a', undefined)?.code, '1');
  });
});

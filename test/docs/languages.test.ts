/** Pages in two languages say the same: as many sections, rows and programs, and every name that one of them has. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../support/paths';

const CHINESE = 'docs/zh-CN';

interface Page {
  /** Its lines outside of programs. */
  readonly lines: readonly string[];
  /** Programs and output without their comments, which are translated. */
  readonly blocks: readonly string[];
}

function readPage(file: string): Page {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const fence = /^ *(```+)[^\n]*\n.*?^ *\1$/gms;
  return {
    lines: text.replace(fence, '').split('\n'),
    blocks: Array.from(text.matchAll(fence), ([block]) => block.replace(/[ \t]*(#|\/\/) .*$/gm, '')),
  };
}

const levelsOf = ({ lines }: Page) => lines.flatMap((line) => /^#{1,6}(?= )/.exec(line) ?? []);
/** Rows of each table. */
const tablesOf = ({ lines }: Page) =>
  lines
    .map((line) => (line.trimStart().startsWith('|') ? '|' : ' '))
    .join('')
    .split(/ +/)
    .filter((table) => table !== '')
    .map((table) => table.length);
/** Codes, variables and families. */
const namesOf = ({ lines }: Page) =>
  new Set(
    lines.join('\n').match(/\b(?:CHX|CHANNEL_EXPORTER|OTEL|channel|process|nodejs|flask|partner_http)_\w*[A-Za-z]/g),
  );

const pairs = [
  { english: 'README.md', chinese: 'README.zh-CN.md' },
  ...readdirSync(join(ROOT, CHINESE)).map((name) => ({ english: `docs/${name}`, chinese: `${CHINESE}/${name}` })),
];

describe('a page in two languages', () => {
  it('exists for what operators read', () => {
    const setUp = ['settings', 'migration', 'partners', 'callers', 'deployment', 'endpoint', 'cli'];
    const understood = ['metrics', 'scrape', 'processes', 'boundaries', 'page'];
    for (const name of [...setUp, ...understood, 'troubleshooting', 'queries', 'alerts']) {
      assert.ok(
        pairs.some(({ chinese }) => chinese === `${CHINESE}/${name}.md`),
        name,
      );
    }
  });

  for (const { english, chinese } of pairs) {
    it(`has the same sections, tables, programs and names: ${chinese}`, () => {
      const [page, translated] = [readPage(english), readPage(chinese)];
      assert.deepEqual(levelsOf(translated), levelsOf(page));
      assert.deepEqual(tablesOf(translated), tablesOf(page));
      assert.deepEqual(translated.blocks, page.blocks);
      const has = namesOf(translated);
      assert.deepEqual(
        [...namesOf(page)].filter((name) => !has.has(name)),
        [],
      );
    });
  }

  it('leads a Chinese reader to Chinese pages', () => {
    const twins = new Map(pairs.map(({ english, chinese }) => [english, chinese]));
    for (const { chinese } of pairs) {
      const lines = readPage(chinese).lines.filter((line) => !line.startsWith('[English]'));
      const linked = Array.from(lines.join('\n').matchAll(/\]\(([^)#:\s]+\.md)/g), ([, link]) =>
        posix.join(posix.dirname(chinese), link as string),
      );
      const english = linked.filter((page) => twins.has(page));
      assert.deepEqual(english, [], chinese);
    }
  });

  it('links to the other one at its head', () => {
    for (const { english, chinese } of pairs.slice(1)) {
      const name = english.slice('docs/'.length);
      assert.equal(readPage(english).lines[2], `[中文](zh-CN/${name})`, english);
      assert.equal(readPage(chinese).lines[2], `[English](../${name})`, chinese);
    }
  });
});

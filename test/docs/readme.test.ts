import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../support/paths';

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

function codeBlocks(text: string): string[] {
  return [...text.matchAll(/^```\w+\n.*?^```$/gms)].map(([block]) => block);
}

describe('the README', () => {
  it('is no longer than a first reader takes', () => {
    assert.ok(read('README.md').trimEnd().split('\n').length <= 186);
  });

  it('leads to every page', () => {
    const text = read('README.md');
    const pages = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
    for (const page of [...pages.map((name) => `docs/${name}`), 'ops/README.md']) {
      assert.ok(text.includes(`(${page})`) || text.includes(`(${page}#`), page);
    }
  });

  it('has the same commands, programs and output in Chinese', () => {
    const blocks = codeBlocks(read('README.md'));
    assert.ok(blocks.length >= 7, `${blocks.length} blocks`);
    assert.deepEqual(codeBlocks(read('README.zh-CN.md')), blocks);
  });
});

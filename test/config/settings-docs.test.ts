import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { SETTINGS } from '../../src/config/settings';
import { ROOT } from '../support/paths';

const page = readFileSync(join(ROOT, 'docs/settings.md'), 'utf8');
const chinesePage = readFileSync(join(ROOT, 'docs/zh-CN/settings.md'), 'utf8');

/** The rows as docs/settings.md has to show them. */
function rows(): string[] {
  return SETTINGS.map(({ option, variable, alsoVariables, type, defaultText, help }) => {
    const variables = [variable, ...(alsoVariables ?? [])].map((name) => `\`${name}\``).join(', then ');
    const otherwise = defaultText === undefined ? 'none: required' : `\`${defaultText}\``;
    return `| \`${option}\` | ${variables} | ${type} | ${otherwise} | ${help} |`;
  });
}

describe('docs/settings.md', () => {
  it('has exactly the table of src/config/settings.ts', () => {
    const table = page.split('<!-- settings -->')[1]?.trim().split('\n').slice(2);
    // the formatter pads the cells
    assert.deepEqual(
      table?.map((row) => row.replace(/ +/g, ' ')),
      rows(),
    );
  });

  it('names every standard variable that is read', () => {
    const sources = ['src/config/settings.ts', 'src/config/standard-variables.ts'];
    const text = sources.map((file) => readFileSync(join(ROOT, file), 'utf8')).join('\n');
    const names = new Set(text.match(/\b(OTEL|CHANNEL_EXPORTER)_[A-Z_]*[A-Z]\b/g));
    assert.ok(names.size >= 9, `only ${[...names]}`);
    for (const name of names) assert.ok(page.includes(`\`${name}\``), name);
  });
});

describe('docs/zh-CN/settings.md', () => {
  it('has a row for each setting, in the same order, with its variables', () => {
    const table = chinesePage.split('<!-- settings -->')[1]?.trim().split('\n').slice(2);
    const names = table?.map((row) => row.split('|').slice(1, 3).join().match(/\w+/g));
    assert.deepEqual(
      names,
      SETTINGS.map(({ option, variable, alsoVariables }) => [option, variable, ...(alsoVariables ?? [])]),
    );
  });

  it('names every standard variable that the English page names', () => {
    const names = new Set(page.match(/\b(OTEL|CHANNEL_EXPORTER)_[A-Z_]*[A-Z]\b/g));
    for (const name of names) assert.ok(chinesePage.includes(`\`${name}\``), name);
  });
});

/**
 * Random partner files, most of them faulty: a hundred thousand with TEST_FULL=1.
 * FUZZ_SEED repeats a run; FUZZ_FACTOR=10 makes it ten times as long as the full one.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PartnerDirectory } from '../../src/partners/directory';
import { parsePartnerText } from '../../src/partners/file';
import { effort } from '../support/effort';
import { FIXTURES } from '../support/paths';
import { fuzzSeed, Random } from '../support/random';

const SEED = fuzzSeed();
const INPUTS = Math.ceil(100_000 * Number(process.env.FUZZ_FACTOR ?? effort({ short: 0.1, full: 1 })));
const FOLDER = join(FIXTURES, 'partners');
const FIXTURE_TEXTS = readdirSync(FOLDER).map((name) => readFileSync(join(FOLDER, name), 'utf8'));
const SIGNS = [
  ':',
  ': ',
  '-',
  '- ',
  '? ',
  '[',
  ']',
  '{',
  '}',
  ',',
  '"',
  "'",
  '|\n',
  '>',
  '#',
  ' #',
  '&a ',
  '*a',
  '!!str ',
  '!x ',
  '%YAML 1.1\n',
  '---\n',
  '...\n',
  '\n',
  '\n ',
  '\n  ',
  '\t',
  '\r\n',
  '\0',
  '\ufeff',
  '\u2028',
  '\ud800',
  '<<: ',
  '~',
  '\\',
  '\\u00',
  '@',
  '`',
] as const;
const WORDS = [
  'hosts',
  'partner',
  'paths',
  'aliases',
  '$schema',
  'a.example',
  'a:1',
  '[::1]:2',
  '::1',
  '*',
  '/a',
  '/:id',
  '/*',
  '/:',
  '1',
  '0120',
  '1e3',
  '.inf',
  '0x1f',
  'true',
  'null',
  '12345678901234567890',
  '2001-01-01',
  '"x"',
  '中',
  '__proto__',
  'constructor',
] as const;

function randomText(random: Random): string {
  return random.repeat(12, () => (random.once(2) ? random.pick(SIGNS) : random.pick(WORDS)));
}

function mutated(random: Random): string {
  let text = random.pick(FIXTURE_TEXTS);
  for (let left = 1 + random.below(3); left > 0; left--) {
    const at = random.below(text.length + 1);
    const end = random.once(2) ? at : at + random.below(8);
    text = text.slice(0, at) + random.pick(random.once(2) ? SIGNS : WORDS) + text.slice(end);
  }
  return text;
}

/** A directory of the right shape, with names and values that may not be. */
function directory(random: Random): string {
  const pick = (key: string) => (random.once(12) ? random.pick(WORDS) : key);
  const code = () => random.pick(['1', '"01"', '0120', '""', random.pick(WORDS)]);
  const path = () => `/${random.repeat(3, () => random.pick(['a', ':id', '*', '/', '.', '%2F', '+', '(', '?', 'é']))}`;
  const paths = () => `{${random.repeat(4, () => `${JSON.stringify(path())}: ${code()}, `)}}`;
  const host = () => random.pick(['a', 'b.example', 'A', 'a:80', '[::1]', 'bücher', random.pick(WORDS)]);
  const entry = () => `{${pick('partner')}: ${code()}, ${random.once(2) ? `${pick('paths')}: ${paths()}` : ''}}`;
  return `{"${pick('hosts')}": {${random.repeat(4, () => `${JSON.stringify(host())}: ${entry()}, `)}}}`;
}

function look(directory: PartnerDirectory): void {
  for (const name of ['a', 'A.', '[::1]', 'bücher', 'a.example', '中', '']) {
    directory.knowsHost(name);
    const partner = directory.find('http:', name, undefined);
    for (const path of ['/', '/a', '/a/b', '/中', '', '*'])
      assert.equal(typeof (partner?.actionCode(path) ?? ''), 'string');
  }
}

describe('reading a partner file', () => {
  it(`never throws, tells at most 51 problems, and what is accepted works, on ${INPUTS} texts`, (t) => {
    const started = performance.now();
    let accepted = 0;
    for (let input = 0; input < INPUTS; input++) {
      const random = new Random(SEED + input * 7919);
      const kind = random.below(10);
      const text = kind < 6 ? randomText(random) : kind < 7 ? mutated(random) : directory(random);
      const began = performance.now();
      try {
        const { hosts, problems } = parsePartnerText(text, 'f');
        assert.ok(problems.length <= 51);
        for (const { code, message } of problems.slice(0, 50)) assert.ok(message.startsWith(`${code}: f`), message);
        if (problems.length > 0) assert.deepEqual(hosts, []);
        else {
          accepted++;
          look(new PartnerDirectory(hosts));
        }
      } catch (error) {
        throw new Error(`FUZZ_SEED=${SEED}, input ${input}: ${JSON.stringify(text)}`, { cause: error });
      }
      assert.ok(performance.now() - began < 10_000, `FUZZ_SEED=${SEED}, input ${input} took too long`);
    }
    const seconds = (performance.now() - started) / 1000;
    assert.ok(accepted > INPUTS / 100, `only ${accepted} of the texts were good`);
    t.diagnostic(`FUZZ_SEED=${SEED}: ${INPUTS} texts in ${seconds.toFixed(1)} s, ${accepted} of them good`);
  });
});

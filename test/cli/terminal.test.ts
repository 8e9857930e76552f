/** What the command writes: plain lines, whatever the texts hold. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createOutput, table } from '../../src/cli/terminal';

const HOSTILE = 'a\u001b[2Jb\u009b31mc\u0007\u202ed\re\nf\u2028g\ud800h';

function written(
  isTTY: boolean,
  env: NodeJS.ProcessEnv,
  write: (output: ReturnType<typeof createOutput>) => void,
): string {
  let text = '';
  const sink = { isTTY, write: (part: string) => (text += part) };
  write(createOutput(sink, env));
  return text;
}

describe('the output of the command', () => {
  it('has no control character of a text, and one line for each', () => {
    assert.equal(
      written(false, {}, (output) => output.line(HOSTILE, 'bad')),
      'a\ufffd[2Jb\ufffd31mc\ufffd\ufffdd e f\ufffdg\ufffdh\n',
    );
  });

  it('escapes in JSON what JSON allows and a terminal obeys', () => {
    const text = written(true, {}, (output) => output.json({ [HOSTILE]: HOSTILE }));
    assert.deepEqual(JSON.parse(text), { [HOSTILE]: HOSTILE });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.doesNotMatch(text.replaceAll('\n', ''), /[\u0000-\u001f\u007f-\u009f\u2028\u202e]/);
  });

  for (const { isTTY, env, isColoured } of [
    { isTTY: true, env: {}, isColoured: true },
    { isTTY: true, env: { NO_COLOR: '' }, isColoured: true },
    { isTTY: true, env: { NO_COLOR: '1' }, isColoured: false },
    { isTTY: true, env: { TERM: 'dumb' }, isColoured: false },
    { isTTY: false, env: {}, isColoured: false },
  ]) {
    it(`is ${isColoured ? '' : 'not '}coloured on ${isTTY ? 'a terminal' : 'a pipe'} with ${JSON.stringify(env)}`, () => {
      const text = written(isTTY, env, (output) => output.line('x', 'bad'));
      assert.equal(text, isColoured ? '\u001b[31mx\u001b[0m\n' : 'x\n');
    });
  }

  it('cuts a text that is longer than anybody reads', () => {
    assert.equal(written(false, {}, (output) => output.line('x'.repeat(1e6))).length, 2_002);
  });

  it('aligns cells by what is shown of them', () => {
    assert.deepEqual(
      table(
        [
          ['name', 'n'],
          ['a\u001b', '10'],
          ['long name', '7'],
        ],
        [1],
      ),
      ['name        n', 'a\ufffd         10', 'long name   7'],
    );
  });
});

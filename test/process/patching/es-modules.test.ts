/** What ES modules of a package hand over, for it to be patched, and that all others stay as they are. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { reportNotRun } from '../../support/debian';
import { linesInTitle, NODE_LINES, nodeOfLine } from '../../support/node-versions';
import { FIXTURES, ROOT } from '../../support/paths';
import { startProgram } from '../../support/program';

const FILES = {
  'package.json': '{"type":"module"}',
  'node_modules/watched/package.json': '{"type":"module","exports":"./index.js"}',
  // the comment of a source map stays the last that Node sees of one
  'node_modules/watched/index.js': `class Router { route() { return 'own'; } fail() { throw new Error('here'); } }
function make() { return 'made'; }
const CONSTANT = 1;
export { Router, make, CONSTANT };
//# sourceMappingURL=index.js.map`,
  'node_modules/watched/plain.js': 'export function make() { return 1; }',
  'node_modules/other/package.json': '{"type":"module","exports":"./index.js"}',
  'node_modules/other/index.js': `export class Router { route() { return 'own'; } }`,
  'node_modules/common/package.json': '{"main":"index.js"}',
  'node_modules/common/index.js': `class Router { route() { return 'own'; } }\nmodule.exports = { Router };`,
  'app.js': `
import { CONSTANT, make, Router } from 'watched';
import { Router as Other } from 'other';
import common from 'common';
import { createRequire } from 'node:module';

const place = () => { try { new Router().fail(); } catch ({ stack }) { return /index\\.js:\\d+:\\d+/.exec(stack)[0]; } };
const late = async () => { globalThis.endWatching(); await import('./node_modules/watched/late/index.js'); };
await late();
console.log(JSON.stringify({
  seen: globalThis.seen, route: new Router().route(), made: make(), CONSTANT, place: place(),
  other: new Other().route(), common: new common.Router().route(),
  required: createRequire(import.meta.url)('common') === common,
  late: globalThis.lateRan, receiver: typeof globalThis[Symbol.for('channel-exporter.es-module')],
}));`,
  'node_modules/watched/late/index.js': 'class Router {}\nglobalThis.lateRan = true;',
};

const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-es-modules-'));
after(() => rmSync(folder, { recursive: true, force: true }));
for (const [name, text] of Object.entries(FILES)) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}

async function run(args: readonly string[], command: string | undefined, env = {}) {
  const program = startProgram({ command, args, cwd: folder, env: { DIST: join(ROOT, 'dist'), ...env } });
  const { code } = await program.closed;
  assert.equal(code, 0, program.output());
  return program;
}

describe(`ES modules on ${linesInTitle}`, () => {
  for (const line of NODE_LINES) {
    it(`of a watched package hand over what they have: Node ${line}`, async (test) => {
      const command = nodeOfLine(line);
      if (command === undefined) return reportNotRun(test, `Node ${line} is not here`);
      const program = await run(['-r', join(FIXTURES, 'patching/watch-modules.cjs'), 'app.js'], command);
      assert.deepEqual(JSON.parse(program.stdout()), {
        seen: [['Router', 'make', true, 1]],
        route: 'patched',
        made: 'replaced',
        CONSTANT: 1,
        place: 'index.js:1:57',
        other: 'own',
        common: 'own',
        required: true,
        late: true,
        receiver: 'undefined',
      });
      assert.equal(program.stderr(), '');
    });
  }

  it('are not watched where no package that is wanted is installed', async () => {
    writeFileSync(join(folder, 'keys.js'), 'console.log(typeof globalThis[Symbol.for("channel-exporter.es-module")]);');
    const program = await run(['-r', join(ROOT, 'dist/register.js'), 'keys.js'], undefined);
    assert.equal(program.stdout(), 'undefined\n');
  });
});

describe('the thread of a loader that the application has', () => {
  it('is left alone by the preload', async () => {
    const state =
      'Object.getOwnPropertySymbols(globalThis).filter((key) => /channel-exporter/.test(String(key))).length';
    const hooks = `import { writeSync } from 'node:fs'; writeSync(1, 'loader ' + ${state} + '\\n');`;
    const script = `import { register } from 'node:module';
      register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});
      console.log('main', ${state} > 0);`;
    writeFileSync(join(folder, 'loader.js'), script);
    const program = await run(['-r', join(ROOT, 'dist/register.js'), 'loader.js'], undefined);
    assert.deepEqual(program.stdout().split('\n').sort(), ['', 'loader 0', 'main true']);
  });
});

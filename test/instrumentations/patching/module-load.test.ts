/** Listeners for files of packages, as real files are loaded. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import Module from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { onFileLoaded } from '../../../src/instrumentations/patching/module-load';

const prototype = (Module as unknown as { prototype: { load: unknown } }).prototype;
const ENDING = '/some-package/index.js';
let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'module-load-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Loads a copy of the package that has not been loaded before. */
let copies = 0;
function load(): unknown {
  const place = join(folder, `${++copies}`, 'node_modules/some-package');
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'index.js'), `exports.copy = ${copies};`);
  return require(place);
}

describe('onFileLoaded', () => {
  it('calls several listeners for one ending, each until it ends', () => {
    const seen: string[] = [];
    const ends = ['first', 'second'].map((name) => onFileLoaded(ENDING, () => seen.push(name)));
    load();
    assert.deepEqual(seen, ['first', 'second']);
    ends[0]?.();
    load();
    assert.deepEqual(seen, ['first', 'second', 'second']);
    ends[1]?.();
    load();
    assert.equal(seen.length, 3);
  });

  it('calls one function twice where it listens twice', () => {
    let calls = 0;
    const listener = () => calls++;
    const ends = [onFileLoaded('/some-package/index.js', listener), onFileLoaded('/some-package/index.js', listener)];
    const before = calls;
    load();
    assert.equal(calls - before, 2);
    ends[0]?.();
    load();
    assert.equal(calls - before, 3);
    ends[1]?.();
  });

  it('calls for what is loaded already', () => {
    const loaded = load();
    const seen: unknown[] = [];
    onFileLoaded(`/${copies}/node_modules${ENDING}`, (exported) => seen.push(exported))();
    assert.deepEqual(seen, [loaded]);
  });

  it('calls a listener once that is added while its file is announced', () => {
    let isListening = false;
    let calls = 0;
    const ends: (() => void)[] = [];
    const end = onFileLoaded(ENDING, () => {
      if (isListening) ends.push(onFileLoaded(`/${copies}/node_modules${ENDING}`, () => calls++));
    });
    isListening = true;
    load();
    assert.equal(calls, 1);
    for (const each of [end, ...ends]) each();
  });

  it('does not let what a listener throws reach the application or the other listeners', () => {
    let calls = 0;
    const ends = [
      onFileLoaded(ENDING, () => {
        throw new Error('refused');
      }),
      onFileLoaded(ENDING, () => calls++),
    ];
    const before = calls;
    load();
    assert.equal(calls - before, 1);
    for (const end of ends) end();
  });

  it('puts Node’s own method back with the end of the last listener, whichever that is', () => {
    const own = prototype.load;
    const ends = [onFileLoaded(ENDING, () => undefined), onFileLoaded('/other.js', () => undefined)];
    assert.notEqual(prototype.load, own);
    for (const end of ends) end();
    assert.equal(prototype.load, own);
    // a second call has no effect on those who came after
    const seen: unknown[] = [];
    const end = onFileLoaded('/some-package/index.js', (exported) => seen.push(exported));
    for (const former of ends) former();
    const before = seen.length;
    load();
    assert.equal(seen.length - before, 1);
    end();
  });

  it('stays silent under a method that was patched above it, and works again after a later start', () => {
    const own = prototype.load;
    const seen: unknown[] = [];
    const listen = () => onFileLoaded(ENDING, (exported) => seen.push(exported));
    const end = listen();
    const ours = prototype.load as (...args: unknown[]) => unknown;
    prototype.load = function (...args: unknown[]) {
      return ours.apply(this, args);
    };
    try {
      end();
      const before = seen.length;
      load();
      assert.equal(seen.length, before);
      const endAgain = listen();
      const known = seen.length;
      load();
      assert.equal(seen.length, known + 1);
      endAgain();
    } finally {
      prototype.load = own;
    }
  });
});

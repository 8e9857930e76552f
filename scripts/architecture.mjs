// Holds the sources to the floor plan, and draws it: node scripts/architecture.mjs rewrites docs/architecture.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { cruise } from 'dependency-cruiser';
import { FLOORS, floorRules, roomOf } from './floors.mjs';

const ROOT = resolve(fileURLToPath(import.meta.url), '../..');
const PAGE = 'docs/architecture.md';
const BEGIN = '<!-- floors: written by npm run docs:architecture -->';
const END = '<!-- end of floors -->';
const WIDTH = 118;

/**
 * Reads the imports of the sources, of types too, and compares them with the plan.
 * @param root folder that holds src
 * @param entries files and folders to begin with, below it
 * @returns every file with the files of ours that it imports, and what is against the plan, one text each
 */
export async function readImports(root = ROOT, entries = ['src', 'register.ts']) {
  const options = {
    baseDir: root,
    // the compiler's own API ends with TypeScript 6
    parser: 'swc',
    includeOnly: '^(src/|register\\.ts$)',
    validate: true,
    ruleSet: { forbidden: floorRules() },
  };
  const { output } = await cruise(entries, options, { extensions: ['.ts', '.js', '.json'] });
  const files = output.modules.map(({ source, dependencies }) => ({
    file: source,
    imports: dependencies.map(({ resolved }) => resolved),
  }));
  const homeless = files.filter(({ file }) => roomOf(file) === undefined).map(({ file }) => `${file} is in no room`);
  const forbidden = output.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
  return { files, violations: [...homeless, ...forbidden] };
}

/** @returns the plan as text: floor by floor, each room with the rooms that it imports from */
export function drawing(files) {
  const rooms = FLOORS.flatMap((floor) => floor.rooms);
  const indent = Math.max(...rooms.map((room) => nameOf(room).length)) + '  '.length;
  const lines = FLOORS.flatMap(({ name, rooms: own }) => [
    name,
    ...own.flatMap((room) => {
      const imports = files.filter(({ file }) => roomOf(file) === room).flatMap((each) => each.imports.map(roomOf));
      const used = rooms.filter((other) => other !== room && imports.includes(other)).map(nameOf);
      const head = `  ${nameOf(room).padEnd(indent)}`;
      return used.length === 0 ? [head.trimEnd()] : wrapped(`${head}-> `, used);
    }),
  ]);
  return ['```', ...lines, '```'].join('\n');
}

/** @returns the page with this drawing between its markers */
export function withDrawing(page, text) {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${PAGE} lacks the markers of the floors`);
  return `${page.slice(0, begin + BEGIN.length)}\n${text}\n${page.slice(end)}`;
}

function nameOf(room) {
  return room.replace(/^src\//, '');
}

function wrapped(head, words) {
  const lines = [head];
  for (const [index, word] of words.entries()) {
    const text = index < words.length - 1 ? `${word}, ` : word;
    if ((lines.at(-1) + text).trimEnd().length > WIDTH) lines.push(' '.repeat(head.length));
    lines.push(lines.pop() + text);
  }
  return lines.map((line) => line.trimEnd());
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const { files, violations } = await readImports();
  for (const violation of violations) console.error(violation);
  const path = join(ROOT, PAGE);
  writeFileSync(path, withDrawing(readFileSync(path, 'utf8'), drawing(files)));
  process.exitCode = violations.length === 0 ? 0 : 1;
}

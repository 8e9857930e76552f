/** Keeps what was measured in benchmarks/results, one file a section, so that a long run may be made in pieces. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { machine } from './machine.mjs';

const FOLDER = join(import.meta.dirname, '../results');
/** Release lines of Node in the order of the page; others come behind. */
const LINES = ['24', '26', '22', '20'];
const OWN_LINE = process.versions.node.split('.')[0];

export function saveResult(part, section, options, data) {
  const folder = join(FOLDER, OWN_LINE, part);
  mkdirSync(folder, { recursive: true });
  const date = new Date().toISOString().slice(0, 10);
  const result = { section, machine: machine(), date, options, data };
  writeFileSync(join(folder, `${section}.json`), `${JSON.stringify(result, undefined, 1)}\n`);
}

/** @returns what has been measured of a part, whenever it was: of each line of Node, section to result */
export function loadResults(part) {
  const known = entries(FOLDER).filter((name) => /^\d+$/.test(name));
  const ordered = [...LINES.filter((line) => known.includes(line)), ...known.filter((line) => !LINES.includes(line))];
  return new Map(ordered.map((line) => [line, resultsIn(join(FOLDER, line, part))]).filter(([, { size }]) => size > 0));
}

function resultsIn(folder) {
  const files = entries(folder).filter((name) => name.endsWith('.json'));
  const results = files.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
  return new Map(results.map((result) => [result.section, result]));
}

function entries(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

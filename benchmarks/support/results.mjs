/** Keeps what was measured in benchmarks/results, one file a section, so that a long run may be made in pieces. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { machine } from './machine.mjs';

const FOLDER = join(import.meta.dirname, '../results');

export function saveResult(part, section, options, data) {
  const file = join(FOLDER, part, `${section}.json`);
  mkdirSync(join(FOLDER, part), { recursive: true });
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(file, `${JSON.stringify({ section, machine: machine(), date, options, data }, undefined, 1)}\n`);
}

/** @returns what has been measured of a part, whenever it was: section to result */
export function loadResults(part) {
  const results = new Map();
  for (const name of files(join(FOLDER, part))) {
    const result = JSON.parse(readFileSync(join(FOLDER, part, name), 'utf8'));
    results.set(result.section, result);
  }
  return results;
}

function files(folder) {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}

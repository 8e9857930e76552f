/**
 * Measures what docs/performance.md says, and prints its tables:
 *
 *   npm run bench -- [part …] [--short] [--rounds <n>] [--within <share>] [--only <part of a section's name>]
 *                    [--variants <regular expression>] [--node <line>] [--print] [--update]
 *
 * Without a part it measures all of them. README.md tells what each option does.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readArguments } from './support/arguments.mjs';
import { pinLoad } from './support/cores.mjs';
import { drawChart, updateDocument } from './support/document.mjs';
import { loadResults, saveResult } from './support/results.mjs';

const { parts, only, isPrintedOnly, isUpdate, options, node } = readArguments();

if (node !== undefined) runOn(node);
if (!isPrintedOnly) {
  installPeers();
  pinLoad();
  for (const part of parts) await measure(part);
}
for (const part of parts) await print(part);

/** Load and programs run on the same Node. */
function runOn(binary) {
  const args = process.argv.slice(1);
  const at = args.findIndex((arg) => arg.startsWith('--node'));
  args.splice(at, args[at] === '--node' ? 2 : 1);
  const { status } = spawnSync(binary, args, { stdio: 'inherit' });
  process.exit(status ?? 1);
}

/** The peers are installed here and not with the project, whose lock file they would double. */
function installPeers() {
  if (existsSync(join(import.meta.dirname, 'node_modules'))) return;
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: import.meta.dirname, stdio: 'inherit' });
}

async function measure(part) {
  const { sections } = await import(`./parts/${part}.mjs`);
  for (const [section, run] of sections(options)) {
    if (!section.includes(only)) continue;
    const startedMs = Date.now();
    const data = await run();
    saveResult(part, section, options, data);
    console.error(`${part} ${section}: ${Math.round((Date.now() - startedMs) / 1000)} s`);
  }
}

/** The tables of every Node that was measured, the line that most new services run on first. */
async function print(part) {
  const { tables, chart } = await import(`./parts/${part}.mjs`);
  const lines = loadResults(part);
  if (lines.size === 0) return;
  const text = [...lines].map(([line, results]) =>
    [`**Node ${line}**`, ...tables(results), `Measured on ${runsOf([...results.values()])}.`].join('\n\n'),
  );
  console.log(`\n## ${part}\n\n${text.join('\n\n')}`);
  if (!isUpdate) return;
  const [[line, results]] = lines;
  const drawn = chart?.(results);
  const foot = `1 is free, more is better; bars are medians, lines their 95 % intervals. Node ${line}.`;
  const pictures = drawn === undefined ? [] : [drawChart(part, { ...drawn, foot })];
  updateDocument(part, [...pictures, ...text].join('\n\n'));
}

/** Sections may have been measured on several days or machines, which has to be seen. */
function runsOf(results) {
  const runs = results.map(({ machine, date, options: { length } }) => {
    return `${date}, ${machine}${length === 'short' ? ', in the short form' : ''}`;
  });
  return [...new Set(runs)].join('; ');
}

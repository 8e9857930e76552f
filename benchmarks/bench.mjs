/**
 * Measures what docs/performance.md says, and prints its tables:
 *
 *   npm run bench -- [part …] [--short] [--rounds <n>] [--only <part of a section's name>]
 *                  [--variants <expression>] [--print] [--update]
 *
 * Without a part it measures all of them. --variants leaves out the rows of inbound, outbound and startup that the regular
 * expression does not fit; with BENCH_OTHER_BUILD=<folder of another checkout, built> they have rows of that build too. --print only prints what earlier runs have left in benchmarks/results;
 * --update also puts the tables into docs/performance.md.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BARE } from './support/comparison.mjs';
import { pinLoad } from './support/cores.mjs';
import { updateDocument } from './support/document.mjs';
import { loadResults, saveResult } from './support/results.mjs';

const PARTS = ['inbound', 'outbound', 'scrape', 'startup', 'memory', 'instructions'];

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string', default: '' },
    variants: { type: 'string', default: '' },
    print: { type: 'boolean', default: false },
    update: { type: 'boolean', default: false },
  },
});
const unknown = positionals.filter((name) => !PARTS.includes(name));
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
if (unknown.length > 0 || (rounds !== undefined && !(rounds >= 1))) {
  console.error(
    `usage: npm run bench -- [${PARTS.join(' | ')}] [--short] [--rounds <n>] [--only <section>] [--variants <expression>] [--print] [--update]`,
  );
  process.exit(1);
}
const parts = positionals.length > 0 ? positionals : PARTS;
const options = { length: values.short ? 'short' : 'full', ...(rounds === undefined ? {} : { rounds }) };
const wanted = new RegExp(values.variants);
/** Ratios are to the bare application, which is never left out. */
const isWanted = (variant) => variant === BARE || wanted.test(variant);

if (!values.print) {
  installPeers();
  pinLoad();
  for (const part of parts) await measure(part);
}
for (const part of parts) await print(part);

/** The peers are installed here and not with the project, whose lock file they would double. */
function installPeers() {
  if (existsSync(join(import.meta.dirname, 'node_modules'))) return;
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: import.meta.dirname, stdio: 'inherit' });
}

async function measure(part) {
  const { sections } = await import(`./parts/${part}.mjs`);
  for (const [section, run] of sections({ ...options, isWanted })) {
    if (!section.includes(values.only)) continue;
    const startedMs = Date.now();
    const data = await run();
    saveResult(part, section, options, data);
    console.error(`${part} ${section}: ${Math.round((Date.now() - startedMs) / 1000)} s`);
  }
}

async function print(part) {
  const { tables } = await import(`./parts/${part}.mjs`);
  const results = loadResults(part);
  if (results.size === 0) return;
  const text = [...tables(results), `Measured on ${runsOf([...results.values()])}.`].join('\n\n');
  console.log(`\n## ${part}\n\n${text}`);
  if (values.update) updateDocument(part, text);
}

/** Sections may have been measured on several days or machines, which has to be seen. */
function runsOf(results) {
  const runs = results.map(({ machine, date, options: { length } }) => {
    return `${date}, ${machine}${length === 'short' ? ', in the short form' : ''}`;
  });
  return [...new Set(runs)].join('; ');
}

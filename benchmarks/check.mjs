/**
 * The short form for CI: what one request and one call cost in CPU time, against the bare application, interleaved.
 * Fails when a ratio is below its threshold twice in a row, or when an input is found that costs a reader too much. It needs none
 * of the peers. Each hot function is run a few times too, so that none is found broken when it is to be counted.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { measureThroughput } from './parts/inbound.mjs';
import { HOT_FUNCTIONS } from './parts/instructions.mjs';
import { measureCalls, NOT_A_PARTNER, PARTNER } from './parts/outbound.mjs';
import { BARE } from './support/comparison.mjs';
import { pinLoad } from './support/cores.mjs';
import { environment } from './support/program.mjs';
import { spreadText, table } from './support/tables.mjs';

const OURS = 'channel-exporter';
/** CPU time of the bare application over ours; each has room for what a busy machine makes of it. */
const THRESHOLDS = { inbound: 0.78, notPartner: 0.76, partner: 0.64 };
const TRIES = 2;
/** Enough to find what costs several times as much as it did. */
const WORST_SECONDS = 12;

const MEASUREMENTS = {
  async inbound(options) {
    return (await measureThroughput('express5', '100B', { ...options, names: [BARE, OURS] }))[OURS];
  },
  async notPartner(options) {
    return (await measureCalls('http', { ...options, names: [BARE, NOT_A_PARTNER] }))[NOT_A_PARTNER];
  },
  async partner(options) {
    return (await measureCalls('http', { ...options, names: [BARE, PARTNER] }))[PARTNER];
  },
};
const OPTIONS = { length: 'check', rounds: 24 };

pinLoad();
for (const name of HOT_FUNCTIONS) runHot(name);
const rows = [];
for (const [name, threshold] of Object.entries(THRESHOLDS)) {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const { cpuRatio } = await MEASUREMENTS[name](OPTIONS);
    const isEnough = cpuRatio.median >= threshold;
    rows.push([name, spreadText(cpuRatio), threshold.toFixed(2), isEnough ? 'ok' : 'TOO SLOW']);
    if (isEnough) break;
    if (attempt === TRIES) process.exitCode = 1;
  }
}
if (!areInputsCheap() && !areInputsCheap()) process.exitCode = 1;
console.log(table(['CPU time against bare', 'ratio', 'at least', 'result'], rows));

function areInputsCheap() {
  const args = [join(import.meta.dirname, 'worst-inputs.mjs'), '--seconds', `${WORST_SECONDS}`];
  return spawnSync(process.execPath, args, { stdio: 'inherit' }).status === 0;
}

/** @throws when the function does */
function runHot(name) {
  const script = join(import.meta.dirname, 'hot/run.js');
  execFileSync(process.execPath, [script, `${name}.js`, '10', '10'], {
    env: environment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

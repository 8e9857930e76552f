/**
 * `npm run test:attacks`: all attacks together, for ATTACK_SECONDS (600) against each of two clusters.
 * Exit code 1 when honest work is not counted exactly, p99 is more than twice that without the preload, or memory grows.
 */
import { compareUnderAttack, faultsOf, tableOf } from './comparison';

const DEFAULT_SECONDS = 600;

async function main(): Promise<void> {
  const seconds = Number(process.env.ATTACK_SECONDS ?? DEFAULT_SECONDS);
  if (!(seconds > 0)) throw new Error(`ATTACK_SECONDS is a number of seconds; got ${process.env.ATTACK_SECONDS}`);
  const comparison = await compareUnderAttack(seconds, (line) => console.error(line));
  console.log(tableOf(comparison));
  const faults = faultsOf(comparison);
  for (const fault of faults) console.log(`\nFAILED: ${fault}`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

void main();

/**
 * Who runs where: what is measured has a core of its own, and the load comes from another, so that neither takes time
 * from the other. BENCH_CORES names the two, as in `BENCH_CORES=2,3`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const [measured = '0', load = '1'] = (process.env.BENCH_CORES ?? '0,1').split(',');

/** Whether programs can be pinned. */
export const isPinned = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0;

/** Keeps this process, which makes the load, on its core. Says loudly where that cannot be. */
export function pinLoad() {
  if (isPinned) execFileSync('taskset', ['-a', '-p', '-c', load, String(process.pid)], { stdio: 'ignore' });
  else console.error('WARNING: no taskset or no second core; server and load share cores and the figures mean little');
}

/**
 * The command line of a program that is kept on a core.
 * @param {'measured' | 'load'} role whose core it is
 * @param {string[]} command
 */
export function pinned(role, command) {
  return isPinned ? ['taskset', '-c', role === 'load' ? load : measured, ...command] : command;
}

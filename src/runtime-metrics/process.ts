/** What belongs to the process: CPU time, memory, descriptors, when it began, which Node it runs. */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { maxFiles, openFiles } from './open-files';
import type { Reading } from './reading';

const US_PER_SECOND = 1_000_000;
const MS_PER_SECOND = 1_000;
/** Place of vsize after the name of the program, which may have blanks and brackets. @see proc_pid_stat(5) */
const VIRTUAL_MEMORY_FIELD = 20;

export async function readProcess(reading: Reading): Promise<void> {
  const { user, system } = process.cpuUsage();
  reading.set('cpu', (user + system) / US_PER_SECOND);
  reading.set('cpuUser', user / US_PER_SECOND);
  reading.set('cpuSystem', system / US_PER_SECOND);
  const { rss, heapTotal, heapUsed, external } = process.memoryUsage();
  reading.set('residentMemory', rss);
  reading.set('virtualMemory', virtualMemory());
  reading.set('startTime', performance.timeOrigin / MS_PER_SECOND);
  reading.set('heapTotal', heapTotal);
  reading.set('heapUsed', heapUsed);
  reading.set('externalMemory', external);
  reading.set('maxFiles', maxFiles());
  const [major = '', minor = '', patch = ''] = process.versions.node.split('.');
  reading.set('version', 1, process.version, major, minor, patch);
  reading.set('openFiles', await openFiles());
}

function virtualMemory(): number | undefined {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[VIRTUAL_MEMORY_FIELD]);
  } catch {
    return undefined;
  }
}

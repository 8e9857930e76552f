/** What the figures were measured on. */
import { cpus, type } from 'node:os';
import { isPinned } from './cores.mjs';

/** One line for under a table, the same for every part of a run. */
export function machine() {
  const [cpu] = cpus();
  const pinning = isPinned ? 'server and load on a core each' : 'NOT PINNED';
  return `${cpus().length} cores of ${cpu?.model.trim() ?? 'an unknown CPU'}, ${pinning}, ${type()}, Node ${process.versions.node}`;
}

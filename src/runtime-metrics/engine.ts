/** What the heap is made of, and what keeps the event loop alive. */
import { getHeapSpaceStatistics } from 'node:v8';
import type { Reading } from './reading';

/** Types of resources that have a series of their own; Node has some thirty. */
const MAX_TYPES = 32;

export function readHeapSpaces(reading: Reading): void {
  for (const space of getHeapSpaceStatistics()) {
    const name = space.space_name.replace(/_space$/, '');
    reading.set('spaceTotal', space.space_size, name);
    reading.set('spaceUsed', space.space_used_size, name);
    reading.set('spaceAvailable', space.space_available_size, name);
  }
}

export function readResources(reading: Reading): void {
  const counts = new Map<string, number>();
  for (const type of process.getActiveResourcesInfo()) counts.set(type, (counts.get(type) ?? 0) + 1);
  for (const [type, count] of [...counts].slice(0, MAX_TYPES)) reading.set('resources', count, type);
}

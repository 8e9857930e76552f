/** Reads a partner file in a thread of its own, and hands it over in batches. */
import { serveFile } from '../files/serve';
import type { PartnerHosts } from './check';
import type { PartnerHost } from './directory';
import { readPartnerHosts } from './file';

/** Names and paths of a batch: they are taken in within a millisecond or two. */
const BATCH_SIZE = 500;

serveFile(readPartnerHosts, batchesOf);

/** @returns the hosts in order, in batches that are as good as equally large; a large host in parts, each with its first name */
export function* batchesOf(hosts: PartnerHosts): Generator<PartnerHosts, undefined> {
  let batch: PartnerHost[] = [];
  let size = 0;
  for (const part of hosts.flatMap(partsOf)) {
    batch.push(part);
    size += part.names.length + part.paths.length;
    if (size < BATCH_SIZE) continue;
    yield batch;
    batch = [];
    size = 0;
  }
  yield batch;
  return undefined;
}

function partsOf(host: PartnerHost): PartnerHost[] {
  const [first, ...aliases] = host.names;
  if (first === undefined) return [];
  const parts = [{ ...host, names: [first], paths: host.paths.slice(0, BATCH_SIZE) }];
  for (let at = 0; at < aliases.length; at += BATCH_SIZE) {
    parts.push({ ...host, names: [first, ...aliases.slice(at, at + BATCH_SIZE)], paths: [] });
  }
  for (let at = BATCH_SIZE; at < host.paths.length; at += BATCH_SIZE) {
    parts.push({ ...host, names: [first], paths: host.paths.slice(at, at + BATCH_SIZE) });
  }
  return parts;
}

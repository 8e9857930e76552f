/**
 * A thread that reads a partner file and hands it over in batches, each when it is asked for, so that the main thread
 * has the event loop between two of them. It is started by reread.ts.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { PartnerHosts } from './check';
import type { PartnerHost } from './directory';
import { readPartnerFile } from './file';

/** First message of the thread. */
export interface FileRead {
  readonly hosts: number;
  /** What is wrong with the file; then there are no hosts. */
  readonly problems: readonly string[];
}

/** Each further message: hosts, or at the end null. A large host comes in parts, each with its first name. */
export type HostBatch = PartnerHosts | null;

/** Names and paths of a batch: they are taken in within a millisecond or two. */
const BATCH_SIZE = 500;

if (parentPort !== null) serve(parentPort, String(workerData));

function serve(port: NonNullable<typeof parentPort>, file: string): void {
  const { hosts, problems } = readPartnerFile(file);
  const batches = batchesOf(hosts);
  port.on('message', () => {
    const { value } = batches.next();
    port.postMessage((value ?? null) satisfies HostBatch);
    if (value === undefined) port.close();
  });
  port.postMessage({
    hosts: hosts.length,
    problems: problems.map(({ message }) => message),
  } satisfies FileRead);
}

/** @returns the hosts in order, in batches that are as good as equally large */
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

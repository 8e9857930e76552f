/** Finds the process that listens on a port, by /proc of Linux. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** State of a listening socket in /proc/net/tcp. */
const LISTENING = '0A';
/** Processes examined at most. */
const MAX_PROCESSES = 5_000;

export interface PortHolder {
  readonly pid: number;
  /** For example `node app.js (pid 4711)`. */
  readonly description: string;
}

/** @returns undefined without /proc, or without the right to read it */
export function findPortHolder(port: number): PortHolder | undefined {
  try {
    const inodes = listeningInodes(port);
    if (inodes.size === 0) return undefined;
    const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    const pid = processes.slice(0, MAX_PROCESSES).find((candidate) => holdsSocket(candidate, inodes));
    return pid === undefined ? undefined : { pid: Number(pid), description: `${commandOf(pid)} (pid ${pid})` };
  } catch {
    return undefined;
  }
}

/** @returns whether anybody listens on a port, of any address; false without /proc */
export function isPortTaken(port: number): boolean {
  try {
    return listeningInodes(port).size > 0;
  } catch {
    return false;
  }
}

function listeningInodes(port: number): Set<string> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readTable(table)) {
      const fields = line.trim().split(/\s+/);
      const inode = fields[9];
      if (fields[1]?.endsWith(suffix) && fields[3] === LISTENING && inode !== undefined) inodes.add(inode);
    }
  }
  return inodes;
}

function readTable(path: string): string[] {
  try {
    return readFileSync(path, 'latin1').split('\n').slice(1);
  } catch {
    return []; // a kernel without IPv6 has no tcp6
  }
}

function holdsSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      return inode !== undefined && inodes.has(inode);
    });
  } catch {
    return false; // another user's process, or one that has just ended
  }
}

/** The program and its first argument: a whole command line may carry secrets. */
function commandOf(pid: string): string {
  const [program = '?', first] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  const words = first && !first.startsWith('-') ? [program, first] : [program];
  return words.map((word) => word.slice(0, 80)).join(' ');
}

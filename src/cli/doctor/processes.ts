/** Other processes of this user, as Linux shows them under /proc; elsewhere nothing is known of them. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

export interface OtherProcess {
  readonly pid: number;
  /** Its working directory; undefined where it may not be seen. */
  readonly folder: string | undefined;
  /** Its command line. */
  readonly command: string;
}

const PROC = '/proc';
const MAX_PROCESSES = 4_096;
const MAX_COMMAND_CHARACTERS = 200;
const PRELOAD = /(?:-r|--require|--import)(?:=|\s)\S*\/(?:dist\/)?register\b/;
/** In /proc/net/tcp: a socket that listens. */
const LISTENING = '0A';

/** @returns the process that listens on a port; undefined where that cannot be known */
export function listenerOf(port: number): OtherProcess | undefined {
  const inodes = ['tcp', 'tcp6'].flatMap((table) => listeningInodes(`${PROC}/net/${table}`, port));
  if (inodes.length === 0) return undefined;
  const wanted = new Set(inodes.map((inode) => `socket:[${inode}]`));
  const pid = pids().find((each) => descriptorsOf(each).some((target) => wanted.has(target)));
  return pid === undefined ? undefined : describe(pid);
}

/**
 * @returns processes of Node under the preload that have this system code in their environment, without this one and
 * those above it; those that start the exporter in their code are not known
 */
export function processesWith(syscode: string): OtherProcess[] {
  const above = ancestors();
  return pids()
    .filter((pid) => !above.has(pid) && isNode(pid))
    .filter((pid) => isPreloadedWith(pid, syscode))
    .map(describe);
}

function isPreloadedWith(pid: number, syscode: string): boolean {
  const variables = textOf(`${PROC}/${pid}/environ`).split('\0');
  if (!variables.some((each) => each.toUpperCase() === `SYSCODE=${syscode}`)) return false;
  const flags = variables.find((each) => each.startsWith('NODE_OPTIONS=')) ?? '';
  return PRELOAD.test(flags) || PRELOAD.test(textOf(`${PROC}/${pid}/cmdline`).replaceAll('\0', ' '));
}

function listeningInodes(file: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return textOf(file)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state]) => local.endsWith(`:${hex}`) && state === LISTENING)
    .flatMap((fields) => fields[9] ?? []);
}

function pids(): number[] {
  try {
    return readdirSync(PROC)
      .filter((name) => /^\d+$/.test(name))
      .slice(0, MAX_PROCESSES)
      .map(Number);
  } catch {
    return [];
  }
}

function descriptorsOf(pid: number): string[] {
  try {
    return readdirSync(`${PROC}/${pid}/fd`).map((name) => linkOf(`${PROC}/${pid}/fd/${name}`) ?? '');
  } catch {
    return [];
  }
}

/** This process, its parent, and so on: a shell or npm that the variable was given to. */
function ancestors(): Set<number> {
  const found = new Set<number>();
  for (let pid = process.pid; pid > 0 && !found.has(pid); ) {
    found.add(pid);
    // the name in brackets may contain anything
    pid = Number(/^.*\) \S (\d+)/s.exec(textOf(`${PROC}/${pid}/stat`))?.[1] ?? 0);
  }
  return found;
}

function isNode(pid: number): boolean {
  return /^node(js)?$/.test(basename(linkOf(`${PROC}/${pid}/exe`)?.replace(/ \(deleted\)$/, '') ?? ''));
}

function describe(pid: number): OtherProcess {
  const command = textOf(`${PROC}/${pid}/cmdline`).replaceAll('\0', ' ').trim().slice(0, MAX_COMMAND_CHARACTERS);
  return { pid, folder: linkOf(`${PROC}/${pid}/cwd`), command };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

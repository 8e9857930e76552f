/** Whether a program is a bundle, and which clients were put into it that can only be observed outside. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import type { Manifest } from './packages';

export interface BundledProgram {
  readonly file: string;
  /** Names of sources whose packages are inside, and are not seen there. */
  readonly clients: readonly string[];
  /** Whether it calls `observe()`, by which they may have been handed in. */
  readonly handsIn: boolean;
}

const MAX_BYTES = 16 * 1024 * 1024;
/** What bundlers write around modules, minified or not: esbuild, webpack, rollup, ncc. */
const MARKS =
  /__webpack_require__|__commonJS\b|__toESM\(|getDefaultExportFromCjs|__nccwpck_require__|\(\w{1,8}=\{exports:\{\}\}\)\.exports|\b\w{1,8}\[\w{1,12}\]=\{exports:\{\}\}/;
/** A text in the code of each package that stays when it is minified; a test finds each in its package. */
export const TEXTS: Readonly<Record<string, string>> = {
  amqplib: 'Channel ended, no reply will be forthcoming',
  kafkajs: 'KafkaJSNonRetriableError',
  bullmq: 'Missing lock for job',
  mqtt: 'client disconnecting',
  nats: 'SERVER_OPT_NA',
  koa: 'non-error thrown: ',
  hapi: 'Cannot start server while',
};

/**
 * Looks at the files that a command or a package.json names.
 * @param command that is going to be run; empty: as package.json says
 */
export function findBundles(
  folder: string,
  manifest: Manifest | undefined,
  command: readonly string[],
): BundledProgram[] {
  const start = manifest?.scripts?.start?.split(/\s+/) ?? [];
  const named = command.length > 0 ? command : [...start, manifest?.main ?? 'index.js'];
  const files = new Set(named.filter((arg) => ['.js', '.cjs', '.mjs'].includes(extname(arg))));
  return [...files].flatMap((file) => {
    const text = headOf(resolve(folder, file));
    if (text === undefined || !MARKS.test(text)) return [];
    const clients = Object.keys(TEXTS).filter((name) => text.includes(TEXTS[name] as string));
    return [{ file, clients, handsIn: /\bobserve\)?\(/.test(text) }];
  });
}

/** Read as one byte a character: what is looked for is ASCII. */
function headOf(file: string): string | undefined {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const stat = fstatSync(descriptor);
      if (!stat.isFile()) return undefined;
      const bytes = Buffer.alloc(Math.min(stat.size, MAX_BYTES));
      return bytes.toString('latin1', 0, readSync(descriptor, bytes, 0, bytes.length, 0));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined;
  }
}

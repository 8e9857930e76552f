/**
 * What the application's own files say, as far as it can be known without running them: how it is started, whether it
 * has several processes, and mistakes in the call of `start()`.
 */
import { opendirSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { readText } from '../../files/read-text';
import { flagWithoutRegister } from '../../processes/preload';
import type { Manifest } from './packages';

/** A place in a file of the application, or a name of what is no file, such as `scripts.start`. */
export interface Place {
  readonly where: string;
  readonly text: string;
}

export interface CodeFacts {
  /** Where the preload is seen, or the package is started in code. */
  readonly preloads: readonly Place[];
  /** Flags that preload the package without `/register`. */
  readonly withoutRegister: readonly Place[];
  /** Calls of `start()` with a text in place of an object. */
  readonly startsWithText: readonly Place[];
  /** Process models: `cluster`, `worker threads`, `PM2`, `child processes`. */
  readonly models: readonly string[];
  readonly files: number;
  /** Whether there were more files than are read. */
  readonly isCut: boolean;
}

const CODE = ['.js', '.cjs', '.mjs', '.ts', '.cts', '.mts'];
/** Files that say how a service is started. */
const STARTS =
  /^(?:Dockerfile.*|Procfile|docker-compose.*\.ya?ml|compose\.ya?ml|.*\.service|.*\.sh|ecosystem\.config\.[cm]?js|pm2\.json|\.env.*)$/;
const PM2_FILES = /^(?:ecosystem\.config\.[cm]?js|pm2\.json)$/;
const SKIPPED = new Set(['node_modules', 'coverage', 'test', 'tests']);
const MAX_FILES = 2_000;
const MAX_ENTRIES = 20_000;
const MAX_DEPTH = 8;
const MAX_FILE_BYTES = 512 * 1024;

const PRELOAD = /(?:-r|--require|--import)(?:=|\s+|['"],\s*['"])\S*channel-exporter\/(?:register|dist\/register)/;
const START_IN_CODE = /(?:require\(|from\s+)\s*['"]channel-exporter['"]/;
/** The package loaded and `start` called with what is a system code: nothing else can be meant. */
const START_WITH_TEXT = /\bstart\(\s*(['"`])[A-Za-z]\d{9}\1/;
const MODELS: readonly (readonly [string, RegExp])[] = [
  ['cluster', /(?:require\(|from\s+|import\()\s*['"](?:node:)?cluster['"]/],
  ['worker threads', /(?:require\(|from\s+|import\()\s*['"](?:node:)?worker_threads['"]/],
  ['child processes', /(?:require\(|from\s+|import\()\s*['"](?:node:)?child_process['"]/],
];

/** @param env of the command, for NODE_OPTIONS. @param command that is going to be run */
export function readCode(
  folder: string,
  manifest: Manifest | undefined,
  env: NodeJS.ProcessEnv,
  command: readonly string[],
): CodeFacts {
  const preloads: Place[] = [];
  const withoutRegister: Place[] = [];
  const startsWithText: Place[] = [];
  const models = new Set<string>();
  const flags = (where: string, text: string) => {
    const flag = flagWithoutRegister(text);
    if (flag !== undefined) withoutRegister.push({ where, text: flag });
    // no more of the line: it may hold what is not to be shown
    const preload = PRELOAD.exec(text)?.[0];
    if (preload !== undefined) preloads.push({ where, text: preload });
  };
  flags('NODE_OPTIONS', env.NODE_OPTIONS ?? '');
  flags('the command', command.join(' '));
  for (const [name, script] of Object.entries(manifest?.scripts ?? {})) {
    flags(`scripts.${name}`, String(script));
    if (/\bpm2\b/.test(String(script))) models.add('PM2');
  }
  let files = 0;
  const { paths, isCut } = listFiles(folder);
  for (const path of paths) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (PM2_FILES.test(name)) models.add('PM2');
    const text = textOf(join(folder, path));
    if (text === undefined) continue;
    files++;
    if (STARTS.test(name)) for (const [index, line] of text.split('\n').entries()) flags(`${path}:${index + 1}`, line);
    if (!CODE.includes(extname(name))) continue;
    const code = withoutComments(text);
    for (const [model, pattern] of MODELS) if (pattern.test(code)) models.add(model);
    if (!START_IN_CODE.test(code)) continue;
    if (/\bstart\(/.test(code)) preloads.push({ where: path, text: 'start()' });
    const call = START_WITH_TEXT.exec(code);
    if (call === null) continue;
    const line = code.slice(0, call.index).split('\n').length;
    startsWithText.push({ where: `${path}:${line}`, text: `${call[0]})` });
  }
  return { preloads, withoutRegister, startsWithText, models: [...models].sort(), files, isCut };
}

function listFiles(folder: string): { paths: string[]; isCut: boolean } {
  const paths: string[] = [];
  let entries = 0;
  let isCut = false;
  const walk = (at: string, depth: number) => {
    let directory: ReturnType<typeof opendirSync>;
    try {
      directory = opendirSync(at);
    } catch {
      return;
    }
    try {
      for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
        if (++entries > MAX_ENTRIES || paths.length >= MAX_FILES) {
          isCut = true;
          return;
        }
        const { name } = entry;
        const path = join(at, name);
        if (entry.isDirectory()) {
          if (depth < MAX_DEPTH && !SKIPPED.has(name) && !name.startsWith('.')) walk(path, depth + 1);
        } else if (entry.isFile() && (CODE.includes(extname(name)) || STARTS.test(name))) {
          paths.push(relative(folder, path).replaceAll('\\', '/'));
        }
      }
    } finally {
      directory.closeSync();
    }
  };
  walk(folder, 0);
  return { paths: paths.sort(), isCut };
}

function textOf(file: string): string | undefined {
  try {
    return readText(file, MAX_FILE_BYTES);
  } catch {
    return undefined;
  }
}

/** With as many lines; a `//` inside a text ends that line too, which hides no more than the rest of it. */
function withoutComments(text: string): string {
  let code = '';
  let at = 0;
  for (let begin = text.indexOf('/*'); begin !== -1; begin = text.indexOf('/*', at)) {
    const end = text.indexOf('*/', begin + 2);
    if (end === -1) break;
    code += text.slice(at, begin) + text.slice(begin, end).replace(/[^\n]/g, '');
    at = end + 2;
  }
  return (code + text.slice(at)).replace(/(^|\s)\/\/[^\n]*/g, '$1');
}

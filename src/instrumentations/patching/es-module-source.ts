/**
 * The line that an ES module of a package gets at its end, by which it hands over what it has at its top level. Exports
 * of an ES module cannot be replaced from outside; its classes can be patched in place, and its functions by itself.
 *
 * It comes behind the last line, so that places in stack traces and source maps stay what they are.
 */

/** Files of one package that are wanted, and what of them. */
export interface EsModuleRule {
  /** Under which its listeners wait. */
  readonly name: string;
  /** Part of the path of a file, with slashes; in a bundle that an application is built into, of its folder. */
  readonly path: string;
  /** Texts that the source has to contain, each of them; none: every file of that path. */
  readonly contains: readonly string[];
  /**
   * Classes, functions and variables of the module's own scope, or what it exports under these names, as minified modules
   * do; one that it does not have is undefined.
   */
  readonly locals: readonly string[];
}

/** Key, by Symbol.for, of the function that is handed the locals; a module that outlives the exporter finds none. */
export const RECEIVER = 'channel-exporter.es-module';

/** Longest source that is looked at, so that no file takes the start of an application long. */
const MAX_SOURCE_CHARACTERS = 4 * 1024 * 1024;

/**
 * @param url of the module
 * @param source as the loader gives it: a text or its bytes; others are none of ours
 * @returns the source with a line for each rule that it fits; undefined where it stays as it is
 */
export function withHandover(rules: readonly EsModuleRule[], url: string, source: unknown): string | undefined {
  const fitting = rules.filter(({ path }) => url.includes(path));
  if (fitting.length === 0) return undefined;
  const text = textOf(source);
  if (text === undefined || text.length > MAX_SOURCE_CHARACTERS) return undefined;
  const wanted = fitting.filter(({ contains }) => contains.every((part) => text.includes(part)));
  return wanted.length === 0 ? undefined : `${text}\n${wanted.map((rule) => lineOf(rule, text)).join('\n')}\n`;
}

function textOf(source: unknown): string | undefined {
  if (typeof source === 'string') return source;
  return source instanceof Uint8Array
    ? Buffer.from(source.buffer, source.byteOffset, source.byteLength).toString()
    : undefined;
}

function lineOf({ name, locals }: EsModuleRule, text: string): string {
  const entries = locals.map((local) => {
    const own = ownName(text, local);
    return `${local}: { get: () => typeof ${own} === 'undefined' ? undefined : ${own}, set: (v) => { ${own} = v; } }`;
  });
  return `;globalThis[Symbol.for('${RECEIVER}')]?.('${name}', { ${entries.join(', ')} });`;
}

/** @returns the name that a module has for what it exports under another: `export { x as Cron }` */
function ownName(text: string, name: string): string {
  for (const [, list = ''] of text.matchAll(/\bexport\s*\{([^{}]*)\}(?!\s*from\b)/g)) {
    for (const entry of list.split(',')) {
      const [, own, exported] = /^\s*([\w$]+)\s+as\s+([\w$]+)\s*$/.exec(entry) ?? [];
      if (own !== undefined && exported === name) return own;
    }
  }
  return name;
}

/**
 * Hooks of Node's loader thread, by which Node before 22.15 lets a loader see the source of an ES module. The file runs
 * there and nowhere else; later versions have hooks in the thread of the application.
 */
import { type EsModuleRule, withHandover } from './es-module-source';

interface Loaded {
  readonly format?: unknown;
  readonly source?: unknown;
}

let rules: readonly EsModuleRule[] = [];

/** @param given once, before the first module is loaded */
export function initialize(given: readonly EsModuleRule[]): void {
  rules = given;
}

export async function load(
  url: string,
  context: unknown,
  next: (url: string, context: unknown) => Promise<Loaded>,
): Promise<Loaded> {
  const loaded = await next(url, context);
  const source = loaded.format === 'module' ? withHandover(rules, url, loaded.source) : undefined;
  return source === undefined ? loaded : { ...loaded, source };
}

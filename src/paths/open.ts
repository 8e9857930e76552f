/** What becomes of paths that no framework explained, and the user's file of patterns read again when it changes. */
import { join } from 'node:path';
import { logLine } from '../diagnostics/log';
import type { FileKind } from '../files/reread';
import { watchAndReread } from '../files/watch';
import { ConcretePaths, NO_PATH_RULES, type PathRules } from './concrete-paths';
import { readPathRules } from './file';

/** What the settings say of such paths. */
export interface PathSettings {
  /** Whether what looks like a value is replaced. */
  readonly generalizePaths: boolean;
  /** Path of the paths file; anything else is not watched. */
  readonly paths: string | object | undefined;
  /** What was read from it. */
  readonly pathRules: PathRules;
}

export interface OpenPaths {
  readonly paths: ConcretePaths;
  /** The patterns stay as they are from then on. */
  endWatch(): void;
}

/** The rules are handed over whole: at most a thousand entries. */
const PATHS_FILE: FileKind<PathRules, { rules: PathRules }> = {
  thread: join(__dirname, 'reading-thread.js'),
  read: readPathRules,
  draft: () => ({ rules: NO_PATH_RULES }),
  add(draft, rules) {
    draft.rules = rules;
  },
};

export function openPaths({ generalizePaths, paths: file, pathRules }: PathSettings): OpenPaths {
  const paths = new ConcretePaths(generalizePaths, pathRules);
  if (typeof file !== 'string') return { paths, endWatch: () => undefined };
  const endWatch = watchAndReread(file, PATHS_FILE, {
    loaded({ rules }) {
      paths.use(rules);
      logLine('info', `${file} has been read again: ${rules.patterns.length} paths`);
    },
    faulty(problems) {
      const text = problems.join('\n');
      logLine('warn', `CHX_PATHS_RELOAD: the new version of ${file} is not used; the last good one stays:\n${text}`);
    },
  });
  return { paths, endWatch };
}

/** The names of callers in force, and the user's file read again when it changes. */
import { join } from 'node:path';
import { logLine } from '../diagnostics/log';
import type { FileKind } from '../files/reread';
import { watchAndReread } from '../files/watch';
import { type CallerRules, Callers, NO_CALLER_RULES } from './callers';
import { readCallerRules } from './file';

/** What the settings say of callers. */
export interface CallerSettings {
  /** Path of the callers file; anything else is not watched. */
  readonly callers: string | object | undefined;
  /** What was read from it. */
  readonly callerRules: CallerRules;
}

export interface OpenCallers {
  readonly callers: Callers;
  /** The names stay as they are from then on. */
  endWatch(): void;
}

/** The rules are handed over whole: at most a thousand entries. */
const CALLERS_FILE: FileKind<CallerRules, { rules: CallerRules }> = {
  thread: join(__dirname, 'reading-thread.js'),
  read: readCallerRules,
  draft: () => ({ rules: NO_CALLER_RULES }),
  add(draft, rules) {
    draft.rules = rules;
  },
};

export function openCallers({ callers: file, callerRules }: CallerSettings): OpenCallers {
  const callers = new Callers(callerRules);
  if (typeof file !== 'string') return { callers, endWatch: () => undefined };
  const endWatch = watchAndReread(file, CALLERS_FILE, {
    loaded({ rules }) {
      callers.use(rules);
      logLine('info', `${file} has been read again: ${rules.entries.length} callers`);
    },
    faulty(problems) {
      const text = problems.join('\n');
      logLine('warn', `CHX_CALLERS_RELOAD: the new version of ${file} is not used; the last good one stays:\n${text}`);
    },
  });
  return { callers, endWatch };
}

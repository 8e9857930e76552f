/** Logs which families are left out because their name is taken, each once in the life of the process. */
import { warn } from './log';

/** Families remembered; further clashes are logged once a minute. */
const MAX_REPORTED = 1_000;
const SHOWN = 10;

const reported = new Set<string>();

/**
 * @param origin whose families are left out
 * @param families their names
 * @param holder owner of the names, as the message calls it
 */
export function reportClash(origin: string, families: readonly string[], holder: string): void {
  const fresh = families.filter((family) => !reported.has(`${origin} ${family}`));
  if (fresh.length === 0) return;
  if (reported.size < MAX_REPORTED) for (const family of fresh) reported.add(`${origin} ${family}`);
  const more = fresh.length > SHOWN ? ` and ${fresh.length - SHOWN} more` : '';
  const names = fresh.slice(0, SHOWN).join(', ') + more;
  warn(
    'CHX_NAME_CLASH',
    `${origin} ${names}`,
    `${names} of ${origin} is left out of the scrape: the name belongs to ${holder}. Give it another name.`,
  );
}

/** What a scheduled job is called, for the label `topic`: always one of a few. */

/** A job without a name that runs once, at a date: dates have no end. */
const ONCE = '(once)';

/** @returns the first of a job's name and the text of its schedule that it has */
export function topicOfJob(name: unknown, schedule: unknown): string {
  for (const text of [name, schedule]) if (typeof text === 'string' && text !== '') return text;
  return ONCE;
}

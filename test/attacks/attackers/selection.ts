/** Which attacks take part: all of them, or those that the environment selects, to see which one a figure comes from. */
import type { Attack } from '../attack';

/**
 * @param attacks all of them
 * @param words comma-separated, from ATTACKS: an attack takes part whose name contains one of them, and none of those
 *   that begin with "-"; only such words: all others; "none": none of them
 * @throws {Error} for a word that is in no name
 */
export function selected(attacks: readonly Attack[], words = process.env.ATTACKS ?? ''): readonly Attack[] {
  if (words === 'none') return [];
  const list = words.split(',').filter((word) => word !== '');
  const without = list.filter((word) => word.startsWith('-')).map((word) => word.slice(1));
  const wanted = list.filter((word) => !word.startsWith('-'));
  const unknown = [...without, ...wanted].filter((word) => !attacks.some(({ name }) => name.includes(word)));
  if (unknown.length > 0) throw new Error(`ATTACKS names what is in no attack's name: ${unknown.join(', ')}`);
  const has = (name: string, some: readonly string[]) => some.some((word) => name.includes(word));
  return attacks.filter(({ name }) => (wanted.length === 0 || has(name, wanted)) && !has(name, without));
}

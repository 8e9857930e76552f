/**
 * Where a code stands in JSON, as a setting or a partner file says it: a list of names and paths.
 *
 * A name, `code`, is looked for at any depth. A path, `errors[0].extensions.code`, is one place: keys from the outermost
 * object on, `[0]` for the first item of an array and `[*]` for the first that has the rest; `.code` is a path of one key.
 */

/** Names and paths of one list: each is compared with every key that may be one of its own. */
export const MAX_CODE_PLACES = 5;
/** Keys and brackets of one path. */
const MAX_PARTS = 5;
/** Longest text of one, in characters. */
const MAX_PLACE_CHARACTERS = 200;

const KEY = '[-_]*[A-Za-z0-9][A-Za-z0-9_-]*';
/** As schema/partners.schema.json has it; reads a text once, whatever it holds. */
const PLACE = new RegExp(`^\\.?${KEY}(?:(?:\\[[0*]\\]|\\.${KEY}){0,${MAX_PARTS - 2}}\\.${KEY})?$`);

/** What is accepted, for messages. */
export const CODE_PLACES = `1 to ${MAX_CODE_PLACES} names, or paths of at most ${MAX_PARTS} parts that begin and end with a key: letters, digits, "-" and "_", with "." between keys and [0] or [*] for items of an array`;

export function isCodePlace(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_PLACE_CHARACTERS && PLACE.test(value);
}

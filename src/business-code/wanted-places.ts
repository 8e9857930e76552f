/**
 * Lists of names and paths from the settings and the partner file, as readers look for them. Each list is made ready
 * once, as scanners are kept by list.
 */
import { isPath } from './json/code-paths';
import { normalizeName } from './names';

const METHOD_CODE_NAME = 'methodcode';

/** Under which names an interface number is looked for, in the order in which they count. */
export interface MethodCodeNames {
  /** Of fields of queries and forms, normalised. */
  readonly fields: readonly string[];
  /** In JSON, normalised: names and paths. */
  readonly places: readonly string[];
}

const METHOD_CODE: MethodCodeNames = { fields: [METHOD_CODE_NAME], places: [METHOD_CODE_NAME] };

const ready = new WeakMap<readonly string[], readonly string[]>();
const readyForRequests = new WeakMap<readonly string[], MethodCodeNames>();

/** @param places names and paths; at most five, as partners/code-places.ts accepts them. @returns them normalised, each once */
export function wantedPlaces(places: readonly string[]): readonly string[] {
  const known = ready.get(places) ?? [...new Set(places.map(normalizeName))];
  ready.set(places, known);
  return known;
}

/** @param places what is looked for after `method_code`; a path of several parts leads nowhere in a query or a form */
export function methodCodeNames(places: readonly string[] | undefined): MethodCodeNames {
  if (places === undefined) return METHOD_CODE;
  const known = readyForRequests.get(places) ?? namesOf(places);
  readyForRequests.set(places, known);
  return known;
}

function namesOf(given: readonly string[]): MethodCodeNames {
  const places = wantedPlaces([METHOD_CODE_NAME, ...given]);
  const fields = places.map((place) => place.replace(/^\./, '')).filter((name) => !isPath(name));
  return { fields: [...new Set(fields)], places };
}

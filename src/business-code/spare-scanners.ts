/** Scanners kept for later bodies: creating one takes a kilobyte in a dozen objects. */
import { CodeScanner } from './json/scanner';

const MAX_SPARE_SCANNERS = 16;
/** By the list of names they look for: a few constant ones, and those of the settings and of the partner file in force. */
const spareScanners = new WeakMap<readonly string[], CodeScanner[]>();

/** @param names as of {@link CodeScanner} */
export function takeScanner(names: readonly string[]): CodeScanner {
  return spareScanners.get(names)?.pop() ?? new CodeScanner(names);
}

/** Hands a scanner on to a later body. @param names the same list that it was taken for */
export function giveBackScanner(scanner: CodeScanner, names: readonly string[]): void {
  scanner.reset();
  const spare = spareScanners.get(names);
  if (spare === undefined) spareScanners.set(names, [scanner]);
  else if (spare.length < MAX_SPARE_SCANNERS) spare.push(scanner);
}

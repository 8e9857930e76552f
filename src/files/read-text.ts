/** The text of a file that the user has named: a plain file of a bounded size, in UTF-8. */
import { readFileSync, statSync } from 'node:fs';

/** @throws {Error} saying why it cannot be read */
export function readText(file: string, maxBytes: number): string {
  const stat = statSync(file);
  // reading a pipe or a device could block the start for ever
  if (!stat.isFile()) throw new Error('it is not a file');
  if (stat.size > maxBytes) throw new Error(`it has ${stat.size} bytes, more than ${maxBytes}`);
  return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
}

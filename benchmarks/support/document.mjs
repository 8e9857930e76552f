/** Puts tables in their places in docs/performance.md, between `<!-- <part> -->` and `<!-- end of <part> -->`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DOCUMENT = join(import.meta.dirname, '../../docs/performance.md');

/** @throws when the document has no such place */
export function updateDocument(part, text) {
  const [before, after] = [`<!-- ${part} -->\n`, `<!-- end of ${part} -->`];
  const document = readFileSync(DOCUMENT, 'utf8');
  const [start, end] = [document.indexOf(before), document.indexOf(after)];
  if (start < 0 || end < start) throw new Error(`${DOCUMENT} has no place for ${part}`);
  const updated = `${document.slice(0, start + before.length)}\n${text}\n\n${document.slice(end)}`;
  writeFileSync(DOCUMENT, updated);
}

/** Percent-decoding that never throws: an escape that is none stays, bytes that are no UTF-8 become U+FFFD. */

const ESCAPES = /(?:%[0-9A-Fa-f]{2})+/g;

/** Decodes a path, as in `/t/%E4%B8%AD`. */
export function decodePath(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(ESCAPES, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'));
}

/** Decodes a name or value of a query or an urlencoded form, where `+` is a space. */
export function decodeFormText(text: string): string {
  return decodePath(text.includes('+') ? text.replaceAll('+', ' ') : text);
}

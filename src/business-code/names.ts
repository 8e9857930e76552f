/** How the names of headers, query arguments, form fields and JSON keys are compared. */

const DASHES = /[-_]/g;

/** A name without `-` and `_`, in lower case: `Method-Code`, `method_code` and `METHODCODE` are one. */
export function normalizeName(name: string): string {
  return name.replace(DASHES, '').toLowerCase();
}

/** @param normalized as {@link normalizeName} gives it */
export function isNamed(name: string, normalized: string): boolean {
  return name.length >= normalized.length && normalizeName(name) === normalized;
}

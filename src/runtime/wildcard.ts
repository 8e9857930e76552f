/** Patterns in which `*` stands for any characters. Matching takes time in proportion to the text, whatever it holds. */

/** @returns whether a text matches from its beginning to its end; without `*` the text has to be the pattern */
export function wildcard(pattern: string): (text: string) => boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return (text) => text === pattern;
  return (text) => {
    if (!text.startsWith(first)) return false;
    let at = first.length;
    // the first place of each part leaves the most room to those after it
    for (const part of rest) {
      const found = text.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return text.length - last.length >= at && text.endsWith(last);
  };
}

/**
 * Reads the text of a scrape, format 0.0.4. What is no sample is left out: a page that shows less is better than none.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SPECIAL: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  '+Inf': Number.POSITIVE_INFINITY,
  '-Inf': Number.NEGATIVE_INFINITY,
};

const NAME = /^[a-zA-Z_:][\w:]*/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(,?)/y;
const ESCAPES: Readonly<Record<string, string>> = { '\\\\': '\\', '\\"': '"', '\\n': '\n' };

/** @param isWanted by the name of a sample; lines of others are not taken apart */
export function* samplesOf(text: string, isWanted: (name: string) => boolean): Generator<Sample> {
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    const sample = text[start] === '#' ? undefined : sampleOf(text.slice(start, end), isWanted);
    if (sample !== undefined) yield sample;
    start = end + 1;
  }
}

function sampleOf(line: string, isWanted: (name: string) => boolean): Sample | undefined {
  const name = NAME.exec(line)?.[0];
  if (name === undefined || !isWanted(name)) return undefined;
  // a label may be called as something that every object has
  const labels: Record<string, string> = Object.create(null);
  let at = name.length;
  if (line[at] === '{') {
    at++;
    LABEL.lastIndex = at;
    for (let match = LABEL.exec(line); match !== null; match = LABEL.exec(line)) {
      const [all, label = '', value = ''] = match;
      labels[label] = value.includes('\\') ? value.replace(/\\./g, (each) => ESCAPES[each] ?? each) : value;
      at += all.length;
      LABEL.lastIndex = at;
    }
    if (line[at] !== '}') return undefined;
    at++;
  }
  const written = line.slice(at).trim().split(' ')[0] ?? '';
  const value = SPECIAL[written] ?? (written === '' ? Number.NaN : Number(written));
  return Number.isNaN(value) && written !== 'NaN' ? undefined : { name, labels, value };
}

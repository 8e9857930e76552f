/**
 * Lines of a scrape as families with their series. It may be a scrape of anybody's: what is malformed is counted, and
 * there is a bound on all that is kept.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */

/** One series, with what its histogram's buckets are. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** Observations of a histogram or summary; else the value. */
  value: number;
  /** Of a histogram or summary. */
  sum: number;
  /** Upper bound to cumulative count; of a histogram. */
  readonly buckets: [bound: number, count: number][];
}

export interface ScrapedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly series: ReadonlyMap<string, Series>;
}

/** Series kept in all; the bound on bytes allows more of short ones. */
const MAX_SERIES = 500_000;
const NAME = /[A-Za-z_:][\w:]*/y;
/** One label with what separates it from the next. It is read from left to right, in time linear in the line. */
const LABEL = /[ ,]*([A-Za-z_][\w.]*)="((?:[^"\\]|\\.)*)"/y;
/** Of a scrape in OpenMetrics: the sample has the ending, and the family has not. */
const COUNTER_ENDING = '_total';
const PARTS: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_count', '_sum'],
  summary: ['_count', '_sum'],
  counter: [COUNTER_ENDING],
};

interface OpenFamily extends ScrapedFamily {
  help: string;
  type: string;
  readonly series: Map<string, Series>;
}

export class ScrapeReader {
  private readonly known = new Map<string, OpenFamily>();
  private kept = 0;
  /** Lines that are no sample and no comment. */
  malformed = 0;
  /** Whether there was no room for a series. */
  isCut = false;

  get families(): readonly ScrapedFamily[] {
    return [...this.known.values()];
  }

  readonly line = (text: string): void => {
    if (text.trim() === '') return;
    if (text.startsWith('#')) this.comment(text);
    else this.sample(text);
  };

  private comment(text: string): void {
    const [, word, name = '', rest = ''] = /^#\s+(HELP|TYPE)\s+(\S+)\s*(.*)$/.exec(text) ?? [];
    if (word === 'HELP') this.family(name).help = rest.replace(/\\(.)/g, (_, each) => (each === 'n' ? ' ' : each));
    else if (word === 'TYPE') this.family(name).type = rest.trim();
  }

  private sample(text: string): void {
    const sample = parseSample(text);
    if (sample === undefined) {
      this.malformed++;
      return;
    }
    const { name, labels, value } = sample;
    const { family, part } = this.owner(name);
    const { le, quantile, ...others } = labels;
    if (part === '' && family.type === 'summary' && quantile !== undefined) return;
    const series = this.seriesOf(family, family.type === 'histogram' ? others : labels);
    if (series === undefined) return;
    if (part === '_sum') series.sum = value;
    else if (part === '_bucket') series.buckets.push([parseValue(le ?? '') ?? Number.NaN, value]);
    else series.value = value;
  }

  private owner(name: string): { family: OpenFamily; part: string } {
    const exact = this.known.get(name);
    if (exact !== undefined) return { family: exact, part: '' };
    const part = /_(?:bucket|count|sum|total)$/.exec(name)?.[0] ?? '';
    const family = this.known.get(name.slice(0, name.length - part.length));
    if (part !== '' && family !== undefined && PARTS[family.type]?.includes(part)) return { family, part };
    return { family: this.family(name), part: '' };
  }

  private family(name: string): OpenFamily {
    let family = this.known.get(name);
    if (family === undefined) {
      family = { name, type: 'untyped', help: '', series: new Map() };
      this.known.set(name, family);
    }
    return family;
  }

  private seriesOf(family: OpenFamily, labels: Readonly<Record<string, string>>): Series | undefined {
    const key = JSON.stringify(labels);
    const found = family.series.get(key);
    if (found !== undefined) return found;
    if (this.kept >= MAX_SERIES) {
      this.isCut = true;
      return undefined;
    }
    this.kept++;
    const series: Series = { labels, value: 0, sum: 0, buckets: [] };
    family.series.set(key, series);
    return series;
  }
}

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** @returns undefined for what is no sample; what stands after the value, such as a time or an exemplar, is not read */
function parseSample(text: string): Sample | undefined {
  NAME.lastIndex = 0;
  const name = NAME.exec(text)?.[0];
  if (name === undefined) return undefined;
  const labels: Record<string, string> = Object.create(null);
  let end = name.length;
  if (text[end] === '{') {
    end++;
    LABEL.lastIndex = end;
    for (let found = LABEL.exec(text); found !== null; found = LABEL.exec(text)) {
      labels[found[1] as string] = (found[2] as string).replace(/\\(.)/g, (_, each) => (each === 'n' ? '\n' : each));
      end = LABEL.lastIndex;
    }
    while (text[end] === ',' || text[end] === ' ') end++;
    if (text[end] !== '}') return undefined;
    end++;
  }
  const value = parseValue(
    text
      .slice(end)
      .trimStart()
      .split(/[ \t\r]/, 1)[0] as string,
  );
  return value === undefined ? undefined : { name, labels, value };
}

function parseValue(text: string): number | undefined {
  if (text === '+Inf' || text === 'Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  if (text === 'NaN') return Number.NaN;
  const value = Number(text);
  return text === '' || Number.isNaN(value) ? undefined : value;
}

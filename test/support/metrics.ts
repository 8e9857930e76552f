/** Reads a scrape strictly: what Prometheus would take wrongly or refuse is an error here. */
import assert from 'node:assert/strict';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

export interface Metrics {
  readonly text: string;
  readonly samples: readonly Sample[];
  /** Families by name with their type, in the order of the text. */
  readonly types: ReadonlyMap<string, string>;
  /** `_count` of each series of a histogram family, or the value of a counter's, by its labels. */
  counts(family: string): { readonly labels: Labels; readonly count: number }[];
}

const SERIES = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?$/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/y;

/** What stands before the value of a line. */
interface SeriesText {
  readonly name: string;
  readonly labels: Labels;
  /** The same for the same series, in whatever order its labels stand. */
  readonly key: string;
}

/** Tests scrape the same series over and over: each text of one is parsed once. */
const known = new Map<string, SeriesText>();
const KNOWN_LIMIT = 200_000;

/** @throws {assert.AssertionError} when the text is not a whole and consistent scrape */
export function parseMetrics(text: string): Metrics {
  assert.ok(text.endsWith('\n'), 'the text ends with a newline');
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  const seen = new Set<string>();
  for (const line of text.slice(0, -1).split('\n')) {
    if (line.startsWith('#')) {
      const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
      if (name === undefined || type === undefined) continue;
      assert.ok(!types.has(name), `TYPE of ${name} stands once`);
      types.set(name, type);
      continue;
    }
    const end = line.lastIndexOf(' ');
    const { name, labels, key } = parseSeries(line.slice(0, end));
    const valueText = line.slice(end + 1);
    const value = valueText === '+Inf' ? Number.POSITIVE_INFINITY : Number(valueText);
    if (valueText === '' || Number.isNaN(value)) assert.fail(`a number: ${line}`);
    if (seen.has(key)) assert.fail(`no series stands twice: ${line}`);
    seen.add(key);
    samples.push({ name, labels, value });
  }
  checkHistograms(samples, types);
  return { text, samples, types, counts: (family) => counts(samples, types, family) };
}

function parseSeries(text: string): SeriesText {
  const found = known.get(text);
  if (found !== undefined) return found;
  const match = SERIES.exec(text);
  assert.ok(match, `a sample line: ${text}`);
  const labels: Record<string, string> = {};
  const pairs: string[] = [];
  const body = match[2] ?? '';
  LABEL.lastIndex = 0;
  let end = 0;
  for (let label = LABEL.exec(body); label !== null; label = LABEL.exec(body)) {
    labels[label[1] as string] = unescapeLabel(label[2] as string);
    pairs.push(`${label[1]}="${label[2]}"`);
    end = LABEL.lastIndex;
  }
  assert.equal(end, body.length, `labels are well-formed: ${text}`);
  const name = match[1] as string;
  const series = { name, labels: Object.freeze(labels), key: `${name}{${pairs.sort()}}` };
  if (known.size >= KNOWN_LIMIT) known.clear();
  known.set(text, series);
  return series;
}

function unescapeLabel(text: string): string {
  return text.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
}

function counts(samples: readonly Sample[], types: ReadonlyMap<string, string>, family: string) {
  const name = types.get(family) === 'histogram' ? `${family}_count` : family;
  return samples.filter((sample) => sample.name === name).map(({ labels, value }) => ({ labels, count: value }));
}

/** Buckets rise, and the last one is `+Inf` and equals the count. */
function checkHistograms(samples: readonly Sample[], types: ReadonlyMap<string, string>): void {
  for (const [family, type] of types) {
    if (type !== 'histogram') continue;
    const buckets = new Map<string, Sample[]>();
    for (const sample of samples) {
      if (sample.name !== `${family}_bucket`) continue;
      assert.ok(sample.labels.le !== undefined, 'a bucket has le');
      const key = keyOf(sample.labels);
      const series = buckets.get(key);
      if (series === undefined) buckets.set(key, [sample]);
      else series.push(sample);
    }
    const totals = counts(samples, types, family);
    assert.equal(buckets.size, totals.length, `every series of ${family} has buckets`);
    for (const { labels, count } of totals) {
      const series = buckets.get(keyOf(labels)) ?? [];
      const values = series.map(({ value }) => value);
      if (values.some((value, index) => value < (values[index - 1] ?? 0))) {
        assert.fail(`buckets of ${family} rise: ${values}`);
      }
      assert.equal(series.at(-1)?.labels.le, '+Inf');
      assert.equal(series.at(-1)?.value, count, `+Inf of ${family} equals its count`);
    }
  }
}

const keys = new WeakMap<Labels, string>();

/** Labels as one text, without the boundary of a bucket. */
function keyOf(labels: Labels): string {
  let key = keys.get(labels);
  if (key === undefined) {
    const { le: _, ...others } = labels;
    key = JSON.stringify(others);
    keys.set(labels, key);
  }
  return key;
}

/** What has grown between two scrapes, as `family` and labels with how much. */
export function growth(before: Metrics, after: Metrics, family: string): { labels: Labels; count: number }[] {
  const earlier = new Map(before.counts(family).map(({ labels, count }) => [keyOf(labels), count]));
  return after
    .counts(family)
    .map(({ labels, count }) => ({ labels, count: count - (earlier.get(keyOf(labels)) ?? 0) }))
    .filter(({ count }) => count !== 0);
}

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

const SAMPLE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/y;

/** @throws {assert.AssertionError} when the text is not a whole and consistent scrape */
export function parseMetrics(text: string): Metrics {
  assert.ok(text.endsWith('\n'), 'the text ends with a newline');
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  const seen = new Set<string>();
  for (const line of text.slice(0, -1).split('\n')) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (type !== null) {
      assert.ok(!types.has(type[1] as string), `TYPE of ${type[1]} stands once`);
      types.set(type[1] as string, type[2] as string);
    }
    if (line.startsWith('#')) continue;
    const sample = parseSample(line);
    const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
    assert.ok(!seen.has(key), `no series stands twice: ${line}`);
    seen.add(key);
    samples.push(sample);
  }
  checkHistograms(samples, types);
  return { text, samples, types, counts: (family) => counts(samples, types, family) };
}

function parseSample(line: string): Sample {
  const match = SAMPLE.exec(line);
  assert.ok(match, `a sample line: ${line}`);
  const labels: Record<string, string> = {};
  const body = match[2] ?? '';
  LABEL.lastIndex = 0;
  let end = 0;
  for (let label = LABEL.exec(body); label !== null; label = LABEL.exec(body)) {
    labels[label[1] as string] = unescapeLabel(label[2] as string);
    end = LABEL.lastIndex;
  }
  assert.equal(end, body.length, `labels are well-formed: ${line}`);
  const value = match[3] === '+Inf' ? Number.POSITIVE_INFINITY : Number(match[3]);
  assert.ok(!Number.isNaN(value), `a number: ${line}`);
  return { name: match[1] as string, labels, value };
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
      const { le, ...rest } = sample.labels;
      assert.ok(le !== undefined, 'a bucket has le');
      const key = JSON.stringify(rest);
      buckets.set(key, [...(buckets.get(key) ?? []), sample]);
    }
    const totals = counts(samples, types, family);
    assert.equal(buckets.size, totals.length, `every series of ${family} has buckets`);
    for (const { labels, count } of totals) {
      const series = buckets.get(JSON.stringify(labels)) ?? [];
      const values = series.map(({ value }) => value);
      assert.deepEqual(
        values,
        [...values].sort((a, b) => a - b),
        `buckets of ${family} rise`,
      );
      assert.equal(series.at(-1)?.labels.le, '+Inf');
      assert.equal(series.at(-1)?.value, count, `+Inf of ${family} equals its count`);
    }
  }
}

/** What has grown between two scrapes, as `family` and labels with how much. */
export function growth(before: Metrics, after: Metrics, family: string): { labels: Labels; count: number }[] {
  const earlier = new Map(before.counts(family).map(({ labels, count }) => [JSON.stringify(labels), count]));
  return after
    .counts(family)
    .map(({ labels, count }) => ({ labels, count: count - (earlier.get(JSON.stringify(labels)) ?? 0) }))
    .filter(({ count }) => count !== 0);
}

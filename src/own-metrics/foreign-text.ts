/**
 * Parses the text with which another library would answer a scrape into families, so that it can follow ours.
 *
 * Text format 0.0.4 and OpenMetrics 1.0, whose counters are renamed and whose exemplars are cut off. A line that is
 * no sample is dropped: one such line makes Prometheus refuse a whole scrape.
 */
import { sampleNames } from '../views/prometheus-names';

export interface ForeignFamily {
  readonly name: string;
  /** Every sample name that it writes. */
  readonly names: readonly string[];
  readonly text: string;
}

interface Draft {
  name: string;
  type: string;
  help: string | undefined;
  readonly samples: string[];
}

const META = /^# (HELP|TYPE) ([A-Za-z_:][\w:]*) ?(.*)$/;
/** Name, labels, value and perhaps a timestamp; what OpenMetrics adds after it is not kept. */
const SAMPLE =
  /^([A-Za-z_:][\w:]*)(?:\{(?:[A-Za-z_]\w*="(?:[^"\\]|\\.)*",?)*\})? (?:[+-]?[\d.]+(?:[eE][+-]?\d+)?|[+-]?Inf|N[aA]N)(?: -?\d+)?(?=$| # )/;

export function foreignFamilies(text: string): ForeignFamily[] {
  const drafts = new Map<string, Draft>();
  let current: Draft | undefined;
  const draftOf = (name: string): Draft => {
    const draft = drafts.get(name) ?? { name, type: 'untyped', help: undefined, samples: [] };
    drafts.set(name, draft);
    return draft;
  };
  for (const line of text.split('\n')) {
    const meta = META.exec(line);
    if (meta !== null) {
      current = draftOf(meta[2] as string);
      if (meta[1] === 'TYPE') current.type = meta[3] as string;
      else current.help = meta[3] as string;
      continue;
    }
    const sample = SAMPLE.exec(line);
    if (sample === null) continue;
    const name = sample[1] as string;
    if (current === undefined || !belongs(name, current)) current = draftOf(name);
    current.samples.push(sample[0]);
  }
  return [...drafts.values()].map(finished);
}

function belongs(sample: string, { name, type }: Draft): boolean {
  return sampleNames(name, type).includes(sample) || (type === 'counter' && sample === `${name}_total`);
}

function finished({ name, type, help, samples }: Draft): ForeignFamily {
  // in OpenMetrics the family of a counter lacks the ending of its samples
  const isOpenMetrics = type === 'counter' && samples.some((sample) => sample.startsWith(`${name}_total`));
  const family = isOpenMetrics ? `${name}_total` : name;
  const helpLine = help === undefined ? '' : `# HELP ${family} ${help}\n`;
  const typeLine = `# TYPE ${family} ${type === 'unknown' ? 'untyped' : type}\n`;
  const lines = [...new Set(samples)].map((sample) => `${sample}\n`).join('');
  return { name: family, names: sampleNames(family, type), text: helpLine + typeLine + lines };
}

/**
 * The text of each series' labels, made once.
 *
 * Whoever collects keeps one attributes object for the life of a series and hands the series over in one order, so a
 * text is found again by its place and that object. A WeakMap would do without the place, but costs 30 bytes a series
 * instead of 16 beside the text, and work in every collection of garbage. Series that come anew each time are written
 * anew; nothing is kept but what the last scrape showed.
 */
import type { Attributes, AttributeValue } from '@opentelemetry/api';

/** Label sets of one family. */
export class FamilyLabels {
  private readonly sets: Attributes[] = [];
  private readonly texts: string[] = [];

  /** @returns `name="value",…`, escaped; empty without labels */
  text(index: number, attributes: Attributes): string {
    if (this.sets[index] === attributes) return this.texts[index] as string;
    const text = labelsText(attributes);
    this.sets[index] = attributes;
    this.texts[index] = text;
    return text;
  }

  /** Forgets what stands behind the last series. */
  keepFirst(count: number): void {
    if (this.sets.length > count) this.sets.length = this.texts.length = count;
  }
}

export class LabelTexts {
  private families = new Map<string, FamilyLabels>();

  of(family: string): FamilyLabels {
    const known = this.families.get(family);
    if (known !== undefined) return known;
    const labels = new FamilyLabels();
    this.families.set(family, labels);
    return labels;
  }

  /** Forgets families that are not shown any more. */
  keepOnly(shown: readonly string[]): void {
    this.families = new Map(shown.map((family) => [family, this.of(family)]));
  }
}

function labelsText(attributes: Attributes): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${labelName(name)}="${escapeLabel(labelValue(value))}"`)
    .join(',');
}

/** The SDK's own overflow series is labelled `otel.metric.overflow`, and one such name spoils a whole scrape. */
function labelName(name: string): string {
  return /[^A-Za-z0-9_]|__/.test(name) ? name.replace(/[^A-Za-z0-9_]/g, '_').replace(/_{2,}/g, '_') : name;
}

/** As the SDK's serializer has it: an attribute without a value is an empty label. */
function labelValue(value: AttributeValue | undefined = ''): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function escapeLabel(text: string): string {
  if (!/[\\\n"]/.test(text)) return text;
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"');
}

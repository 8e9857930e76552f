/**
 * Caches the text of each series' labels.
 *
 * The totals keep one attributes object for the life of a series and hand series over in one order, so a text is found
 * by its index and that object. A WeakMap would need no index, but costs 30 bytes a series instead of 16 beside the
 * text, and work in every garbage collection. Series with a new attributes object are written again; only the texts of
 * the last scrape are kept.
 */
import type { Attributes, AttributeValue } from '@opentelemetry/api';
import { prometheusLabelName } from '../../views/prometheus-names';

/** Label texts of one family. */
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

  /** Drops the texts after the first `count` series. */
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

  /** Drops families that are not on the scrape any more. */
  keepOnly(shown: readonly string[]): void {
    this.families = new Map(shown.map((family) => [family, this.of(family)]));
  }
}

function labelsText(attributes: Attributes): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${prometheusLabelName(name)}="${escapeLabel(labelValue(value))}"`)
    .join(',');
}

/** As the SDK's serializer has it: an attribute without a value is an empty label. */
function labelValue(value: AttributeValue | undefined = ''): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function escapeLabel(text: string): string {
  if (!/[\\\n"]/.test(text)) return text;
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"');
}

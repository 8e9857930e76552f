/** Counts and logs what was replaced because a label or a family has reached its limit, with the settings that help. */
import { warn } from '../diagnostics/log';
import { show } from '../errors';
import type { FamilyCounter } from './family-instruments';
import { type CodePlace, LABELS, type LabelName, limitsOf } from './label-limits';

export interface OverflowReports {
  /**
   * Counts nothing yet, so that zero is a value and not a gap.
   * @param labels of the family, as far as their values are reported
   */
  begin(family: string, labels: readonly string[]): void;
  /**
   * A label value was replaced because its label has had as many distinct values as it may have.
   * @param at what has had as many codes
   */
  labelFull(family: string, label: LabelName, limit: number, at?: CodePlace): void;
  /**
   * A measurement was added to a series with `other`, because its family has little room for series left.
   * @param isFull whether there is none, even without what callers choose
   */
  familyFull(family: string, limit: number, isFull: boolean): void;
}

/** The self-metrics that count them. */
interface OverflowCounters {
  readonly labelOverflow: FamilyCounter;
  readonly seriesOverflow: FamilyCounter;
}

/** Routes, actions and topics named in the log, in the life of the process. */
const MAX_NAMED = 20;
/** Paths that are no routes: they may be made up, and are not to take the room of the others. */
const MAX_NAMED_PATHS = 5;

const LIMIT = 'CHANNEL_EXPORTER_LABEL_VALUES_LIMIT';
const GENERALIZE = 'CHANNEL_EXPORTER_GENERALIZE_PATHS';
const PATHS = 'CHANNEL_EXPORTER_PATHS';

export function createOverflowReports({ labelOverflow, seriesOverflow }: OverflowCounters): OverflowReports {
  const named = { paths: new Set<string>(), others: new Set<string>() };
  /** @returns what a line may name, so that there are not as many lines as callers make up */
  const nameOf = (family: string, { text, isPath }: CodePlace) => {
    const names = isPath ? named.paths : named.others;
    const name = `${family} ${text}`;
    if (!names.has(name) && names.size >= (isPath ? MAX_NAMED_PATHS : MAX_NAMED)) return '';
    names.add(name);
    return text;
  };
  return {
    begin(family, labels) {
      seriesOverflow.add([family], 0);
      for (const limited of LABELS) {
        if (labels.some((label) => limitsOf(label).includes(limited))) labelOverflow.add([family, limited], 0);
      }
    },
    labelFull(family, label, limit, at) {
      labelOverflow.add([family, label], 1);
      const name = at === undefined ? '' : nameOf(family, at);
      const where = () => (name === '' ? '' : ` for ${show(name)}`);
      warn(
        'CHX_LABEL_OVERFLOW',
        `${family} ${label} ${name}`,
        () =>
          `${family}: label ${label} has had its ${limit} distinct values${where()}; further ones are recorded as other. ${remedy(label, limit)}`,
      );
    },
    familyFull(family, limit, isFull) {
      seriesOverflow.add([family], 1);
      const what = isFull
        ? `has had its ${limit} series; what is measured under further ones is added up under other`
        : `has used most of its ${limit} series; in further ones, what callers choose is other`;
      warn('CHX_SERIES_OVERFLOW', `${family} ${isFull}`, () => `${family} ${what}. ${SERIES_REMEDY}`);
    },
  };
}

const DROP = 'CHANNEL_EXPORTER_DROP_LABELS';
const SERIES_REMEDY = `${DROP}, such as inner=f_code, leaves a label out; CHANNEL_EXPORTER_SERIES_LIMIT makes room for more.`;

/** The settings that help where a label has reached its limit. */
function remedy(label: LabelName, limit: number): string {
  const more = `${LIMIT}=${label}=${limit * 2} makes room for more`;
  switch (label) {
    case 'code':
      return `If they are data, CHANNEL_EXPORTER_CODE_DEPTH keeps those inside the answer from being read; if they are codes, ${more}.`;
    case 'path':
      return `These are paths that no framework reports a route for. ${GENERALIZE}=on puts :id and the like in place of what varies in them, a file in ${PATHS} your own patterns; ${more}.`;
    case 'f_code':
    case 'method_code':
      return `${DROP}=inner=${label} leaves it out; ${more}.`;
    default:
      return `${more}.`;
  }
}

/** Counts and logs what was replaced because a label or a family has reached its limit. */
import { warn } from '../diagnostics/log';
import type { FamilyCounter } from './family-instruments';
import type { LabelName } from './label-limits';

export interface OverflowReports {
  /** A label value was replaced because its label has had as many distinct values as it may have. */
  labelFull(family: string, label: LabelName, limit: number): void;
  /** A measurement was added to the series `other` because its family has as many series as it may have. */
  familyFull(family: string, limit: number): void;
}

/** The self-metrics that count them. */
interface OverflowCounters {
  readonly labelOverflow: FamilyCounter;
  readonly seriesOverflow: FamilyCounter;
}

export function createOverflowReports({ labelOverflow, seriesOverflow }: OverflowCounters): OverflowReports {
  return {
    labelFull(family, label, limit) {
      labelOverflow.add([family, label], 1);
      const text = `${family}: label ${label} has had its ${limit} distinct values; further ones are recorded as other`;
      warn('CHX_LABEL_OVERFLOW', `${family} ${label}`, text);
    },
    familyFull(family, limit) {
      seriesOverflow.add([family], 1);
      const text = `${family} has had its ${limit} series; what is measured under further ones is added up under other`;
      warn('CHX_SERIES_OVERFLOW', family, text);
    },
  };
}

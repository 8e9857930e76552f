/**
 * The series that say what others mean: what the codes in labels stand for, so that a query can ask for the errors of
 * every partner and service without naming a code; the boundaries of histograms, which have to be the same where they
 * are added up; and who serves the scrape.
 */

import { VERSION } from '../version';
import { type Family, INFO_FAMILIES } from '../views';
import { familyNames, INSTRUMENTS } from '../views/metric-names';
import type { Deltas } from './deltas';
import { cleanLabelValue } from './label-limits';
import type { ConsumerCode } from './measurement';
import type { StateSample } from './state-samples';

/** Series of each of the two families; a directory may have more, of which the first are shown. */
const MAX_INFO_SERIES = 10_000;
const MS_PER_SECOND = 1_000;
const CONSUMER_CODES: readonly (readonly [code: ConsumerCode, isSuccess: boolean])[] = [
  ['0', true],
  ['1', false],
];

/** Partners by their codes. */
interface Meanings {
  entries(): Iterable<
    readonly [partner: string, meaning: { readonly name: string; readonly success: Iterable<string> }]
  >;
}

/** The partner directory; both are other objects once another directory is in force. */
interface Directory {
  readonly meanings: Meanings;
  readonly matches: {
    /** Hosts and paths that no call has met. */
    readonly unmatched: { readonly host: number; readonly path: number };
    metElsewhere(partner: string, actionCode: string): void;
  };
}

/** A setting in force, as a text. */
export interface SettingInForce {
  readonly setting: string;
  readonly value: string;
  /** Whether it was given, or is the default. */
  readonly isSet: boolean;
}

export interface Info {
  samples(): readonly StateSample[];
  /** Of the families that are details. */
  details(): readonly StateSample[];
  /** Deltas of another process have come: its calls have met entries too. */
  received(deltas: Deltas): void;
}

/**
 * @param successCodes business codes of inbound requests that mean success
 * @param catalogue every family of the scrape
 * @param directory the one in force
 * @param inForce the settings, read when details are asked for
 */
export function createInfo(
  settings: { readonly syscode: string; readonly successCodes: readonly string[] },
  catalogue: readonly Family[],
  directory: () => Directory,
  inForce: () => readonly SettingInForce[] = () => [],
): Info {
  const names = familyNames(settings.syscode);
  const own: StateSample[] = [
    exporterSample(),
    ...catalogue.flatMap(({ name, boundaries }) =>
      boundaries === undefined ? [] : [boundariesSample(name, boundaries)],
    ),
    ...settings.successCodes.map((code) => codeSample(names[INSTRUMENTS.inner], '', code, true)),
    ...CONSUMER_CODES.map(([code, isSuccess]) => codeSample(names[INSTRUMENTS.consumer], '', code, isSuccess)),
  ];
  const sinceSeconds = Date.now() / MS_PER_SECOND;
  let shown: Meanings | undefined;
  let meant: readonly StateSample[] = own;
  return {
    samples() {
      const { meanings, matches } = directory();
      // thousands, and the same ones until the directory changes
      if (meanings !== shown) meant = [...own, ...partnerSamples(names[INSTRUMENTS.partner], meanings)];
      shown = meanings;
      const unmatched = Object.entries(matches.unmatched).map(([kind, value]) => {
        return { family: INFO_FAMILIES.unmatched, labels: { kind }, value };
      });
      return [...unmatched, ...meant];
    },
    details() {
      const settings = inForce().map(({ setting, value, isSet }) => {
        const labels = { setting, value: cleanLabelValue(value), set: String(isSet) };
        return { family: INFO_FAMILIES.setting, labels, value: 1 };
      });
      return [{ family: INFO_FAMILIES.since, labels: {}, value: sinceSeconds }, ...settings];
    },
    received(deltas) {
      const { matches } = directory();
      for (const { family, labels, series } of deltas) {
        if (family !== names[INSTRUMENTS.partner]) continue;
        const [partner, actionCode] = [labels.indexOf('partner'), labels.indexOf('action_code')];
        for (const { values } of series) matches.metElsewhere(values[partner] ?? '', values[actionCode] ?? '');
      }
    },
  };
}

function partnerSamples(family: string, meanings: Meanings): StateSample[] {
  const partners = new Map<string, StateSample>();
  const codes: StateSample[] = [];
  for (const [code, { name, success }] of meanings.entries()) {
    // the label is what the recorder makes of the code: long ones may become one
    const partner = cleanLabelValue(code);
    if (partners.has(partner) || partners.size >= MAX_INFO_SERIES) continue;
    partners.set(partner, { family: INFO_FAMILIES.partner, labels: { partner, name }, value: 1 });
    for (const each of success) {
      if (codes.length < MAX_INFO_SERIES) codes.push(codeSample(family, partner, each, true));
    }
  }
  // hosts without a partner code are nobody's
  partners.delete('');
  return [...partners.values(), ...codes];
}

function exporterSample(): StateSample {
  const labels = { version: VERSION, runtime: process.release.name, node: process.versions.node };
  return { family: INFO_FAMILIES.exporter, labels, value: 1 };
}

function boundariesSample(family: string, boundaries: readonly number[]): StateSample {
  return { family: INFO_FAMILIES.boundaries, labels: { family, boundaries: boundaries.join(' ') }, value: 1 };
}

function codeSample(family: string, partner: string, code: string, isSuccess: boolean): StateSample {
  return {
    family: INFO_FAMILIES.businessCode,
    labels: { family, partner, code, success: String(isSuccess) },
    value: 1,
  };
}

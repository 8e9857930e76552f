/**
 * The series that say what the codes in labels mean, so that a query can ask for the errors of every partner and service
 * without naming a code.
 */
import { INFO_FAMILIES } from '../views';
import { familyNames, INSTRUMENTS } from '../views/metric-names';
import { cleanLabelValue } from './label-limits';
import type { ConsumerCode } from './measurement';
import type { StateSample } from './totals';

/** Series of each of the two families; a directory may have more, of which the first are shown. */
const MAX_INFO_SERIES = 10_000;
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

/**
 * @param successCodes business codes of inbound requests that mean success
 * @param meanings those of the partner directory in force; another object once another one is
 * @returns the samples, the same ones until the directory changes
 */
export function createInfo(
  settings: { readonly syscode: string; readonly successCodes: readonly string[] },
  meanings: () => Meanings,
): () => readonly StateSample[] {
  const names = familyNames(settings.syscode);
  const own: StateSample[] = [
    ...settings.successCodes.map((code) => codeSample(names[INSTRUMENTS.inner], '', code, true)),
    ...CONSUMER_CODES.map(([code, isSuccess]) => codeSample(names[INSTRUMENTS.consumer], '', code, isSuccess)),
  ];
  let shown: Meanings | undefined;
  let samples: readonly StateSample[] = own;
  return () => {
    const current = meanings();
    if (current !== shown) samples = [...own, ...partnerSamples(names[INSTRUMENTS.partner], current)];
    shown = current;
    return samples;
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

function codeSample(family: string, partner: string, code: string, isSuccess: boolean): StateSample {
  return {
    family: INFO_FAMILIES.businessCode,
    labels: { family, partner, code, success: String(isSuccess) },
    value: 1,
  };
}

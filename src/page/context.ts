/** What every part of the page draws from. */
import type { History } from './history';
import type { Language } from './language';
import type { Numbers } from './numbers';
import type { Snapshot } from './snapshot';
import { fill, type Word } from './words';

export interface Context {
  readonly language: Language;
  readonly numbers: Numbers;
  readonly history: History;
  /** Whether counts and durations are those of the last minute. */
  isLately: boolean;
  /** When the page was opened, milliseconds of the Unix epoch. */
  readonly openedMs: number;
  /** Says something to who cannot see it. */
  say(text: string): void;
}

/** A part of the page, drawn anew with each scrape. */
export type Part = (snapshot: Snapshot) => void;

/** @returns the text in the language of the page */
export function say({ language }: Context, word: Word, values: Readonly<Record<string, string | number>> = {}): string {
  return fill(language.words[word], values);
}

/** What a partner is called, with its code. */
export function partnerName({ others }: Snapshot, code: string): string {
  const name = others.get('channel_partner_info')?.find(({ labels }) => labels.partner === code)?.labels.name;
  return name ? `${name} (${code})` : code;
}

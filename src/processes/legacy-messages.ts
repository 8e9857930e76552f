/**
 * What a hub that ends leaves to its members, as messages: marks first, then totals in parts. Each member has a copy: the
 * one that has the port next goes on with it, and where a process has the port that was no member yet, it gets the copy
 * of the first one that joins it. A part that is missing begins again, as all did without.
 *
 * Good for one second after it was written: by then another process may have been the hub, and have been scraped.
 */
import type { Deltas } from '../metrics/deltas';
import type { Legacy, LegacyScraper } from '../metrics/legacy';
import { isDeltas, toBatches } from './batches';

/** Longest message. */
export const MAX_LEGACY_FRAME_BYTES = 256 * 1024;
/** Of the totals; some 2,500 series. */
const MAX_PARTS = 8;
const MAX_SCRAPERS = 64;
const MAX_BATCHES = 512;
const MAX_TEXT_CHARACTERS = 1_024;
const GOOD_FOR_MS = 1_000;
/** As `randomUUID()` writes one. */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Number of the last batch that a hub has added of a member. */
export type LastBatch = readonly [member: string, number: number];

export type LegacyMessage =
  | {
      readonly type: 'legacy';
      /** Milliseconds of the Unix epoch. */
      readonly atMs: number;
      readonly mark: number;
      readonly scrapers: readonly LegacyScraper[];
      /** How many messages with totals follow. */
      readonly parts: number;
      /** Of members that are connected: what was added before is not added again. */
      readonly batches: readonly LastBatch[];
      /** See `Legacy`. */
      readonly instance?: string | undefined;
    }
  | { readonly type: 'totals'; readonly totals: Deltas };

/** What the next hub goes on with. */
export interface Received extends Legacy {
  readonly batches: readonly LastBatch[];
}

/** @returns the messages in their order */
export function legacyMessages(left: Legacy, batches: readonly LastBatch[]): LegacyMessage[] {
  const { totals, ...marks } = left;
  const parts = [...toBatches(totals)].slice(0, MAX_PARTS);
  return [
    { type: 'legacy', atMs: Date.now(), ...marks, parts: parts.length, batches: batches.slice(0, MAX_BATCHES) },
    ...parts.map((part) => ({ type: 'totals' as const, totals: part })),
  ];
}

type Fields = Readonly<Record<string, unknown>>;

/** One checker per message. */
export const LEGACY_CHECKS: Readonly<Record<LegacyMessage['type'], (fields: Fields) => boolean>> = {
  legacy: ({ atMs, mark, scrapers, parts, batches, instance }) =>
    Number.isFinite(atMs) &&
    isCount(mark) &&
    isCount(parts) &&
    isListOf(scrapers, MAX_SCRAPERS, isScraper) &&
    isListOf(batches, MAX_BATCHES, isLastBatch) &&
    (instance === undefined || (typeof instance === 'string' && UUID.test(instance))),
  totals: ({ totals }) =>
    isDeltas(totals) &&
    totals.every(({ instrument, library, series }) => {
      const areOurs = instrument === undefined && library === undefined;
      return areOurs && series.every(({ arrival }) => arrival === undefined || isCount(arrival));
    }),
};

function isListOf(value: unknown, most: number, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length <= most && value.every(isItem);
}

function isScraper(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { name, mark, former } = value as Fields;
  return isText(name) && isCount(mark) && isCount(former);
}

function isLastBatch(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && isText(value[0]) && isCount(value[1]);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= MAX_TEXT_CHARACTERS;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Holds what a member was left, until it is the hub or has found one. */
export class LegacyInbox {
  private head: Extract<LegacyMessage, { type: 'legacy' }> | undefined;
  private parts: Deltas[] = [];

  /** @throws Error for totals without a head, or more than a hub leaves */
  add(message: LegacyMessage): void {
    if (message.type === 'legacy') {
      this.clear();
      this.head = message;
      return;
    }
    if (this.head === undefined || this.parts.length >= MAX_PARTS) throw new Error('totals that nobody has left');
    this.parts.push(message.totals);
  }

  clear(): void {
    this.head = undefined;
    this.parts = [];
  }

  get isComplete(): boolean {
    return this.head?.parts === this.parts.length;
  }

  /** Takes the same, as messages to another process. */
  takeMessages(): LegacyMessage[] {
    const { head, parts } = this;
    this.clear();
    if (head === undefined || !isGood(head)) return [];
    return [{ ...head, parts: parts.length }, ...parts.map((totals) => ({ type: 'totals' as const, totals }))];
  }

  /** @returns undefined where nothing was left, or too long ago */
  take(): Received | undefined {
    const { head, parts } = this;
    this.clear();
    return head !== undefined && isGood(head) ? { ...head, totals: parts.flat() } : undefined;
  }
}

function isGood({ atMs }: { readonly atMs: number }): boolean {
  return Math.abs(Date.now() - atMs) <= GOOD_FOR_MS;
}

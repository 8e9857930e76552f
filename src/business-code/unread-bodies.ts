/**
 * Bodies that were not read because of a bound of this process, so that their code is `-1` whatever they held. They are
 * reported to whoever counts them.
 */

/**
 * Why a body was not read: too many waited to be decompressed (`queue`); decompressing it would have taken too much memory
 * (`window`); the process ended before it was decompressed (`exit`); all bodies under way together keep too much (`budget`).
 */
export const UNREAD_REASONS = ['queue', 'window', 'exit', 'budget'] as const;
export type UnreadReason = (typeof UNREAD_REASONS)[number];

export type UnreadBodyListener = (reason: UnreadReason) => void;

let onUnread: UnreadBodyListener | undefined;

/**
 * Has the bodies counted that are not read from now on.
 * @param listener called once for each such body, must not throw; it replaces the one before, undefined removes it
 */
export function setUnreadBodyListener(listener: UnreadBodyListener | undefined): void {
  onUnread = listener;
}

/**
 * Counts them by their reasons from now on.
 * @returns what ends it
 */
export function countUnreadBodies(counter: { add(values: readonly [UnreadReason], count: number): void }): () => void {
  // present from the start: that every body was read is a value and not a gap
  for (const reason of UNREAD_REASONS) counter.add([reason], 0);
  setUnreadBodyListener((reason) => counter.add([reason], 1));
  return () => setUnreadBodyListener(undefined);
}

/** Call once for each body that is not read. */
export function reportUnread(reason: UnreadReason): void {
  onUnread?.(reason);
}

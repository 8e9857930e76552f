/**
 * What a hub goes on with of the one before it, and what it leaves to the next one: once each (docs/processes.md, "What a
 * hub leaves"). How it is written into messages is for legacy-messages.ts, what it means for the totals.
 */
import { errorText, warn } from '../diagnostics/log';
import type { Legacy } from '../metrics/legacy';
import { endsWithin } from '../runtime/time-limit';
import type { KnownMembers } from './known-members';
import { type LastBatch, LegacyInbox, type LegacyMessage, legacyMessages, type Received } from './legacy-messages';
import type { Peer, Peers } from './peer';
import { encodeFrame } from './protocol';
import { boundDeltas, type FamilyLabels } from './received-deltas';
import { sendNow } from './socket-write';

/** How long the first scrape waits for members that bring what another hub has left. */
const WAIT_MS = 150;
/** How long a hub that ends tries to write to members that do not read. */
const LEAVE_LIMIT_MS = 200;

/** Has the totals. */
export interface LegacyTotals {
  /** Ends the totals. @returns what is left to the next hub */
  leave(): Legacy;
  /** Goes on with what another hub has left. @returns whether that was possible */
  inherit(left: Legacy): boolean;
}

export class HubLegacy {
  private hasInherited = false;
  private hasBequeathed = false;
  /** Whether another hub's totals are waited for: after that somebody may have seen others. */
  private mayInherit = false;
  private endWait: () => void = () => undefined;
  private waited: Promise<unknown> = Promise.resolve();

  /**
   * @param labels of this process's families
   * @param totals of the service
   * @param peers members that are connected
   */
  constructor(
    private readonly labels: FamilyLabels,
    private readonly totals: LegacyTotals,
    private readonly peers: Peers,
    private readonly known: KnownMembers,
  ) {}

  /** Settles when another hub's totals are here, or are not waited for any more. */
  get begun(): Promise<unknown> {
    return this.waited;
  }

  /** Whether totals were left: nothing is added any more. */
  get hasLeft(): boolean {
    return this.hasBequeathed;
  }

  /** Waits for what members may bring, where nothing is here yet. */
  expect(): void {
    if (this.hasInherited) return;
    const inherited = new Promise<void>((resolve) => {
      this.endWait = resolve;
    });
    this.mayInherit = true;
    this.waited = endsWithin(WAIT_MS, inherited).then(() => {
      this.mayInherit = false;
    });
  }

  /** A part of what a member was left by the hub before. */
  bring(peer: Peer, message: LegacyMessage): void {
    if (!this.mayInherit || this.hasInherited) return;
    peer.legacy ??= new LegacyInbox();
    peer.legacy.add(message);
    const left = peer.legacy.isComplete ? peer.legacy.take() : undefined;
    if (left !== undefined) this.inherit(left);
  }

  /** Goes on where another hub has ended, before this one is scraped. */
  inherit(left: Received): void {
    const { deltas } = boundDeltas(left.totals, this.labels);
    const isAdded = ([member, number]: LastBatch) => (this.peers.get(member)?.firstBatch ?? Infinity) <= number;
    if (this.hasInherited || left.batches.some(isAdded)) return;
    if (!this.totals.inherit({ ...left, totals: deltas })) return;
    this.hasInherited = true;
    this.endWait();
    for (const [member, number] of left.batches) {
      this.known.remember(member, Math.max(number, this.known.lastBatch(member)));
    }
  }

  /** Leaves the totals to the members, where there are any that may be the next hub. */
  bequeath(): void {
    const heirs = [...this.peers.values()].filter(({ hello }) => hello?.isThread === false);
    if (this.hasBequeathed || heirs.length === 0) return;
    this.hasBequeathed = true;
    try {
      this.send(heirs);
    } catch (error) {
      // the application ends as it would without us
      warn('CHX_INTERNAL', 'legacy', `an error inside the exporter, in handing over its totals: ${errorText(error)}`);
    }
  }

  private send(heirs: readonly Peer[]): void {
    const batches = this.known.connectedBatches();
    const frames = legacyMessages(this.totals.leave(), batches).map(encodeFrame);
    const until = Date.now() + LEAVE_LIMIT_MS;
    for (const { socket } of heirs) {
      frames.every((frame) => sendNow(socket, frame, { waitForRoom: Date.now() < until }) === 'whole');
    }
  }
}

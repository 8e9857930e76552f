/**
 * Remembers members beyond their connections: the number of the last batch that was added of each, so that none is added
 * twice, and how many have left. Who is connected is for the hub to know.
 */
import type { LastBatch } from './legacy-messages';
import type { Peers } from './peer';

/** Members, connected and left, whose last batch number is remembered. */
const MAX_REMEMBERED = 10_000;

export class KnownMembers {
  /** Member to the number of its last batch, in the order of that batch's arrival. */
  private readonly lastBatches = new Map<string, number>();
  /** Members that have left this hub, among those that are remembered: one that another hub has had is not among them. */
  private readonly goneMembers = new Set<string>();
  /** Of them, those that did not take leave. */
  private readonly lostMembers = new Set<string>();
  private goneCount = 0;
  private lostCount = 0;

  /** @param connected members, which are not forgotten */
  constructor(private readonly connected: Peers) {}

  /** Members that have left. */
  get gone(): number {
    return this.goneCount;
  }

  /** Of those gone, members that did not take leave. */
  get lost(): number {
    return this.lostCount;
  }

  /** @returns 0 where no batch was added */
  lastBatch(member: string): number {
    return this.lastBatches.get(member) ?? 0;
  }

  /** Call before the member is connected. One that comes back, because only its connection was lost, is neither gone nor lost. */
  comes(member: string): void {
    if (this.goneMembers.delete(member)) this.goneCount--;
    if (this.lostMembers.delete(member)) this.lostCount--;
  }

  /** Call when the member, which is no thread, is not connected any more. */
  leaves(member: string, hasTakenLeave: boolean): void {
    this.goneCount++;
    this.goneMembers.add(member);
    if (hasTakenLeave) return;
    this.lostCount++;
    this.lostMembers.add(member);
  }

  /** @param number of the last batch that was added; by default the one that is known, for a member that is connected now */
  remember(member: string, number = this.lastBatch(member)): void {
    this.lastBatches.delete(member);
    this.lastBatches.set(member, number);
    if (this.lastBatches.size <= MAX_REMEMBERED) return;
    const oldest = [...this.lastBatches.keys()].find((each) => !this.connected.has(each));
    if (oldest === undefined) return;
    this.lastBatches.delete(oldest);
    this.goneMembers.delete(oldest);
    this.lostMembers.delete(oldest);
  }

  /** @returns what the next hub has to know of those that are connected */
  connectedBatches(): LastBatch[] {
    return Array.from(this.connected.keys(), (member): LastBatch => [member, this.lastBatch(member)]);
  }
}

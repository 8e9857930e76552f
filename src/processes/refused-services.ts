/** Counts the processes of other services that have lately tried to join this hub. */
import type { Hello } from './protocol';

/** A refused process asks again every minute; one that has not asked for so long no longer counts. */
const COUNTED_FOR_MS = 150_000;
const MAX_SYSCODES = 32;
/** Processes counted of each service. */
const MAX_MEMBERS = 1_000;

export class RefusedServices {
  /** System code to member to the time in ms since the epoch until which the member counts. */
  private readonly services = new Map<string, Map<string, number>>();

  add({ syscode, member }: Pick<Hello, 'syscode' | 'member'>): void {
    const members = this.services.get(syscode) ?? new Map<string, number>();
    if (!this.services.has(syscode) && this.services.size >= MAX_SYSCODES) return;
    this.services.set(syscode, members);
    removeExpired(members);
    if (members.size < MAX_MEMBERS) members.set(member, Date.now() + COUNTED_FOR_MS);
  }

  /** @returns system code to number of processes; 0 for a service that no longer asks */
  counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const [syscode, members] of this.services) {
      removeExpired(members);
      counts.set(syscode, members.size);
    }
    return counts;
  }
}

function removeExpired(members: Map<string, number>): void {
  const now = Date.now();
  for (const [member, until] of members) if (until < now) members.delete(member);
}

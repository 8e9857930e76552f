/**
 * Asks all members of a hub at a scrape for what they have measured, and counts those that answer too late. What they
 * measured comes in batches of its own, before the answer.
 */
import { nowMs } from '../runtime/clock';
import { endsWithin } from '../runtime/time-limit';
import { type Peer, send } from './peer';

/** How long a scrape waits for members; Prometheus waits 10 s for a scrape by default. */
const GATHER_LIMIT_MS = 500;

export class Gathering {
  private collects = 0;
  private lateCount = 0;
  private lastSeconds = 0;

  /** How often a member was too late for a scrape. */
  get late(): number {
    return this.lateCount;
  }

  /** How long the last scrape waited for members. */
  get seconds(): number {
    return this.lastSeconds;
  }

  /**
   * Asks, and waits for the answers, half a second at most.
   * @param beginMs when the scrape began to wait
   * @returns how many have not answered
   */
  async ask(peers: Iterable<Peer>, beginMs: number): Promise<number> {
    const answers: Promise<void>[] = [];
    let missing = 0;
    for (const peer of peers) {
      missing++;
      // a member that has not answered the last scrape hangs; do not wait for it again
      if (peer.asked !== undefined) continue;
      const id = ++this.collects;
      answers.push(
        new Promise((resolve) => {
          const answered = () => {
            missing--;
            resolve();
          };
          peer.asked = { id, answered };
        }),
      );
      send(peer, { type: 'collect', id });
    }
    if (answers.length > 0) await endsWithin(GATHER_LIMIT_MS, Promise.all(answers));
    this.lateCount += missing;
    this.lastSeconds = answers.length > 0 ? (nowMs() - beginMs) / 1000 : 0;
    return missing;
  }

  /** @returns whether it is the answer to what this peer was asked last */
  isAnswer(peer: Peer, id: number): boolean {
    return peer.asked?.id === id;
  }

  /** The peer has answered, or will not any more. */
  answered(peer: Peer): void {
    peer.asked?.answered();
    delete peer.asked;
  }
}

/**
 * The remote methods whose paths count as routes. Nobody reports them: that a method exists is seen from its answers, and
 * callers may ask for any name. So they take part of the room of routes at most, and what has no room here is a path like
 * any other.
 */
import type { RpcOutcome } from '../../business-code/rpc/rpc-reader';

/** Half of the room that routes have by default: what frameworks report always finds some. */
export const MAX_METHODS = 500;
/**
 * Of these, methods that have only failed. A server that asks who calls before it asks for what answers every name so; one
 * that answers any name with success is not to be helped.
 */
export const MAX_FAILED_METHODS = 100;
const MAX_CHARACTERS = 255;

export class RpcMethods {
  /** Whether each has succeeded once. */
  private readonly known = new Map<string, boolean>();
  private failed = 0;

  /**
   * @param path that was asked for
   * @param outcome of this answer; undefined where it is not that of a remote method
   * @returns whether it counts as a route
   */
  admit(path: string, outcome: RpcOutcome | undefined): boolean {
    if (outcome === undefined) return false;
    const hasSucceeded = this.known.get(path);
    if (hasSucceeded === undefined) return this.add(path, outcome);
    if (!hasSucceeded && outcome === 'ok') {
      this.known.set(path, true);
      this.failed--;
    }
    return true;
  }

  private add(path: string, outcome: RpcOutcome): boolean {
    if (outcome === 'unknown' || this.known.size >= MAX_METHODS || path.length > MAX_CHARACTERS) return false;
    if (outcome === 'failed') {
      if (this.failed >= MAX_FAILED_METHODS) return false;
      this.failed++;
    }
    this.known.set(path, outcome === 'ok');
    return true;
  }
}

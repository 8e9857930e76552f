/** How far a JSON text has been read: what both ways of reading share. */
import { CodeMatches, type Found } from './code-matches';
import type { CodePaths } from './code-paths';
import { Containers } from './containers';
import { STATE } from './grammar';
import { PathContainers, PathMatches } from './path-matches';

const { FINISHED, SEPARATOR, START } = STATE;

export class TextState {
  /** One of {@link STATE}. */
  state: number = START;
  /** Bytes of the text that have been read. */
  position = 0;
  /** Open containers. */
  depth = 0;
  /** The names, as bits, for which the next value counts; where there are paths, as path-matches.ts has it. */
  wanted = 0;
  readonly containers: Containers;
  readonly matches: CodeMatches;

  /**
   * @param places how many names and paths are looked for
   * @param paths undefined where there are only names
   */
  constructor(places: number, paths: CodePaths | undefined) {
    if (paths === undefined) {
      this.containers = new Containers();
      this.matches = new CodeMatches(places, this.containers);
    } else {
      const containers = new PathContainers(paths);
      this.containers = containers;
      this.matches = new PathMatches(paths, containers);
    }
  }

  reset(): void {
    this.state = START;
    this.position = 0;
    this.depth = 0;
    this.wanted = 0;
    this.containers.reset();
    this.matches.reset();
  }

  /** A string, number or word has ended that counts for the names wanted. @param endsAt bytes of the text up to its end */
  accept(kind: Found['kind'], text: string, endsAt: number): void {
    this.matches.accept(this.wanted, this.depth, kind, text, endsAt);
  }

  /** A value has ended. */
  endValue(): void {
    this.wanted = 0;
    this.state = this.depth === 0 ? FINISHED : SEPARATOR;
  }
}

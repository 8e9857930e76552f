/** How far a JSON text has been read: what both ways of reading share. */
import { CodeMatches, type Found } from './code-matches';
import { Containers } from './containers';
import { STATE } from './grammar';

const { FINISHED, SEPARATOR, START } = STATE;

export class TextState {
  /** One of {@link STATE}. */
  state: number = START;
  /** Bytes of the text that have been read. */
  position = 0;
  /** Open containers. */
  depth = 0;
  /** The names, as bits, for which the next value counts. */
  wanted = 0;
  readonly containers = new Containers();
  readonly matches: CodeMatches;

  /** @param names how many are looked for */
  constructor(names: number) {
    this.matches = new CodeMatches(names, this.containers);
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

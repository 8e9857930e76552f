/** What reads the code of an answer as it passes, whatever kind of answer it is. */
import type { BodyCodes, Chunk } from './body-reader';

export interface CodeReader {
  /** Whether no further byte can change the result. */
  readonly isDone: boolean;
  /** Call before the end where {@link CodeReader.readAtOnce} is called as well, before or after it. */
  share(): void;
  /** To be called before the first chunk. @param contentEncoding the header's value */
  setEncoding(contentEncoding: string | undefined): void;
  /** Takes the next chunk. A string is taken as UTF-8 unless an encoding says otherwise. */
  push(chunk: Chunk, encoding?: BufferEncoding): void;
  /** No chunk comes any more, though it is not known yet whether the body comes to its end. */
  complete(): void;
  /**
   * Ends the answer; only the first call counts.
   * @param isWhole false when it broke off
   * @param onCodes called once with what was found, before this returns or later
   */
  end(isWhole: boolean, onCodes: (codes: BodyCodes) => void): void;
  /** What was found, for who cannot wait. @param isWhole false when the body broke off, or goes on */
  readAtOnce(isWhole: boolean): BodyCodes;
  /** The answer is not wanted any more: in place of {@link CodeReader.end}. */
  discard(): void;
}

/** The headers of an answer that are asked for, in lower case. */
export const ANSWER_HEADERS = ['content-type', 'content-encoding', 'connect-content-encoding', 'grpc-status'] as const;
export type AnswerHeader = (typeof ANSWER_HEADERS)[number];

/** Where an answer says what its body is, and what its code is where that is not in its body. */
export interface AnswerHead {
  /** Of the head, which has been sent or received when this is called. */
  header(name: AnswerHeader): string | undefined;
  /** The trailer of this name; to be called at the end. */
  trailer?(name: 'grpc-status'): unknown;
}

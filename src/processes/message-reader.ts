/** Reads a peer's messages from its socket, no faster than {@link ReadLimit} allows; for both sides of the protocol. */
import type { Socket } from 'node:net';
import { FrameDecoder } from './protocol';
import { ReadLimit } from './read-limit';

export interface ReaderOptions<Message> {
  /** Longest frame that is accepted; see {@link MessageReader.maxFrameBytes}. */
  readonly maxFrameBytes: number;
  /** Checks a parsed frame; throws for one that is none of the peer's messages. */
  readonly parse: (value: unknown) => Message;
  /** Called for each message; what it throws counts as malformed. */
  readonly onMessage: (message: Message) => void;
  /** Called when the peer has sent what it may not; the socket is closed after that. */
  readonly onMalformed?: () => void;
  /** Called when the socket is paused because the peer sends too much. */
  readonly onPaused?: () => void;
}

export class MessageReader<Message> {
  private readonly decoder: FrameDecoder;
  private readonly limit: ReadLimit;

  constructor(
    private readonly socket: Socket,
    private readonly options: ReaderOptions<Message>,
  ) {
    this.decoder = new FrameDecoder(options.maxFrameBytes);
    this.limit = new ReadLimit(socket, options.onPaused);
    socket.on('data', (bytes) => this.read(bytes));
  }

  /** May be changed between two messages. */
  set maxFrameBytes(bytes: number) {
    this.decoder.maxFrameBytes = bytes;
  }

  private read(bytes: Buffer): void {
    const { socket } = this;
    const { parse, onMessage, onMalformed } = this.options;
    let messages = 0;
    try {
      for (const value of this.decoder.push(bytes)) {
        // a refusal was sent or received: what follows it in the same chunk is ignored
        if (socket.destroyed || socket.writableEnded) return;
        onMessage(parse(value));
        messages++;
      }
      this.limit.spend(bytes.length, messages);
    } catch {
      onMalformed?.();
      socket.destroy();
    }
  }
}

/** Tells the lines of the exporter from what the application writes to stderr. */
import { StringDecoder } from 'node:string_decoder';

const PREFIX = 'channel-exporter: ';
/** What a line that follows one of ours begins with: problems of the settings stand below each other. */
const CODE = /^CHX_[A-Z_]+: /;
/** Kept of a run; what comes after is dropped. */
const MAX_LINES = 1_000;
const MAX_LINE_CHARACTERS = 8 * 1024;

export class LogLines {
  /** Of the exporter, without its prefix. */
  readonly lines: string[] = [];
  private readonly decoder = new StringDecoder('utf8');
  private rest = '';
  private isOurs = false;

  /** @param onOther gets everything else */
  constructor(private readonly onOther: (bytes: Buffer) => void) {}

  add(bytes: Buffer): void {
    const lines = (this.rest + this.decoder.write(bytes)).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) this.line(`${line}\n`);
    if (this.rest.length <= MAX_LINE_CHARACTERS) return;
    this.line(this.rest);
    this.rest = '';
  }

  /** Nothing more comes. */
  end(): void {
    if (this.rest !== '') this.line(this.rest);
    this.rest = '';
  }

  private line(text: string): void {
    const starts = text.startsWith(PREFIX);
    this.isOurs = starts || (this.isOurs && CODE.test(text));
    if (!this.isOurs) this.onOther(Buffer.from(text));
    else if (this.lines.length < MAX_LINES) {
      const begin = starts ? PREFIX.length : 0;
      this.lines.push(text.slice(begin, begin + MAX_LINE_CHARACTERS).trimEnd());
    }
  }
}

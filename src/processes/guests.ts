/**
 * Processes that come to the hub without becoming members: they ask for a scrape of the service, or for its port, and go.
 * Each speaks the same protocol and is of the same service, as a member.
 */
import type { Peer } from './peer';
import { encodeFrame, PROTOCOL_VERSION, type ReleaseRequest, type ScrapeRequest } from './protocol';
import { type Scrape, sendScrape } from './scrape-exchange';

/** Scrapes that other processes are sent at a time; each has one at most. */
const MAX_SCRAPES = 64;

type GuestRequest = ScrapeRequest | ReleaseRequest;

export class Guests {
  private scrapes = 0;
  private letGo: (request: ReleaseRequest) => void = () => undefined;

  constructor(
    private readonly syscode: string,
    private readonly scrape: Scrape,
  ) {}

  /** @param letGo called when a server of another process or thread wants the port, which is free when it returns */
  onRelease(letGo: (request: ReleaseRequest) => void): void {
    this.letGo = letGo;
  }

  /** Does what a peer asks for that is no member, and has not asked before. */
  receive(peer: Peer, request: GuestRequest): void {
    if (request.type === 'scrape') void this.answerScrape(peer, request);
    else this.release(peer, request);
  }

  private async answerScrape(peer: Peer, request: ScrapeRequest): Promise<void> {
    peer.isScraping = true;
    const isRefused = !this.isOfService(request) || this.scrapes >= MAX_SCRAPES;
    this.scrapes++;
    await sendScrape(peer.socket, request.form, isRefused ? refuseScrape : this.scrape);
    this.scrapes--;
  }

  private release({ socket }: Peer, request: ReleaseRequest): void {
    if (!this.isOfService(request)) {
      socket.destroy();
      return;
    }
    this.letGo(request);
    socket.end(encodeFrame({ type: 'released' }));
  }

  private isOfService({ version, syscode }: GuestRequest): boolean {
    return version === PROTOCOL_VERSION && syscode === this.syscode;
  }
}

async function refuseScrape(): Promise<never> {
  throw new Error('the hub is of another version or service, or answers too many already');
}

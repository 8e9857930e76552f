/**
 * Leaves the port of the scrape to a server of the application that is about to bind it, in whatever process or thread of
 * the service. What this process does without the port, and when it tries again, is for the election.
 */
import type { OtherListens } from './election-messages';
import type { Hub } from './hub';
import type { Address } from './hub-socket';
import { type ListenRequest, mayCollide, onListenRequest } from './listen-requests';
import { releasePort } from './port-release';
import { PROTOCOL_VERSION, type ReleaseRequest } from './protocol';

export interface PortClaimParts {
  readonly syscode: string;
  readonly address: Address;
  readonly isThread: boolean;
  readonly server: {
    readonly url: string;
    owns(server: unknown): boolean;
    close(): Promise<void>;
  };
  readonly hub: Hub;
}

/** What claims need of the election. */
export interface PortClaimListener {
  isHub(): boolean;
  /** @returns where another hub may listen */
  hubPaths(): readonly string[];
  /** This process was the hub and has let go of its port. */
  left(to: 'application' | OtherListens): void;
  /** The hub, another process or thread, has let go of it for this one, and has logged it. */
  leftByHub(): void;
}

export class PortClaims {
  private isLeft = false;
  private endListenRequests: () => void = () => undefined;

  constructor(
    private readonly parts: PortClaimParts,
    private readonly election: PortClaimListener,
  ) {}

  /** Whether a server of the application was about to bind the port, since it was tried last. */
  get hasYielded(): boolean {
    return this.isLeft;
  }

  /** Call before the first use, which may be a server that wants the port. */
  begin(): void {
    const { hub, server } = this.parts;
    hub.onRelease((request) => this.otherListens(request));
    if (server.url !== '') this.endListenRequests = onListenRequest((request) => this.applicationListens(request));
  }

  /** The port is tried again. */
  forget(): void {
    this.isLeft = false;
  }

  end(): void {
    this.endListenRequests();
  }

  /** Lets go of a port that the application is about to bind. */
  private applicationListens(request: ListenRequest): void {
    const { address, isThread, server, hub } = this.parts;
    const { port } = address.port === 0 && !isThread ? new URL(server.url) : address;
    if (server.owns(request.server) || !mayCollide(request, { ...address, port: Number(port) })) return;
    this.isLeft = true;
    // closed when the call returns: the application binds next
    void server.close();
    if (this.election.isHub()) {
      void hub.close();
      this.election.left('application');
    } else if (releasePort(this.election.hubPaths(), this.releaseRequest(request))) {
      this.election.leftByHub();
    }
  }

  private releaseRequest({ port, host }: ListenRequest): ReleaseRequest {
    const { syscode } = this.parts;
    const { pid } = process;
    return { type: 'release', version: PROTOCOL_VERSION, syscode, pid, port, ...(host !== undefined && { host }) };
  }

  /** The same for a server of another process, or of a thread, which binds it when it has our answer. */
  private otherListens({ port, host, pid }: ReleaseRequest): void {
    const { address, server, hub } = this.parts;
    if (!this.election.isHub() || !mayCollide({ port, host }, address)) return;
    this.isLeft = true;
    void server.close();
    void hub.closeSlowly();
    this.election.left({ listeningPid: pid });
  }
}

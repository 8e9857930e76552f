/**
 * The member's side: joins the hub, and hands over what was measured every second, at each scrape and at the end.
 *
 * What was measured is taken from the instruments only while there is room for it on the way ({@link Outbox}).
 */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import type { Deltas } from '../metrics/deltas';
import type { DeltaSource } from '../metrics/totals';
import { nowMs } from '../runtime/clock';
import { pause } from '../runtime/time-limit';
import { connectUntraced, mayListen } from './hub-connect';
import { LegacyInbox, MAX_LEGACY_FRAME_BYTES, type Received } from './legacy-messages';
import { MessageReader } from './message-reader';
import { Outbox } from './outbox';
import { logPaused } from './peer-messages';
import { onProcessExit } from './process-exit';
import { ownProgram } from './program';
import {
  encodeFrame,
  type Hello,
  type HubMessage,
  hubMessage,
  type MemberMessage,
  PROTOCOL_VERSION,
  type Refused,
} from './protocol';
import { type ScrapeBody, ScrapeFetcher, type ScrapeForm } from './scrape-exchange';

/** Longest time that a measurement waits here while there is room on the way to the hub. */
const HAND_OVER_MS = 1_000;

/** A hub that accepts or refuses does so at once; one whose event loop is blocked is asked again later. */
export const WELCOME_LIMIT_MS = 2_000;
/** Shortest time between two answers to collect. */
const COLLECT_PAUSE_MS = 20;
/** The hub's messages are short. */
const MAX_HUB_FRAME_BYTES = 1_024;

/** How an attempt to join ended: accepted or refused by a hub, nothing listens, or what listens does not answer. */
export type Joined = 'member' | 'no hub' | 'silent' | Refused;

export class Member {
  private readonly hello: Omit<Hello, 'program'>;
  private readonly outbox = new Outbox();
  private readonly legacy = new LegacyInbox();
  /** Of its batches, the last one that a hub has added which this process goes on with. */
  private lastAdded = 0;
  private readonly fetcher: ScrapeFetcher;
  private socket: Socket | undefined;
  /** At which the hub listens that this member has joined last. */
  private path: string | undefined;
  private isWelcome = false;
  /** Settles when what was measured until the last call of take() has been taken. */
  private taken: Promise<void> = Promise.resolve();
  private hasMeasured = false;
  private timer: NodeJS.Timeout | undefined;
  /** The last collect message, while it is not answered. */
  private collectId: number | undefined;
  private collectedMs = 0;
  private endExitListener: () => void = () => undefined;

  /**
   * @param source of what this process has measured
   * @param onLost called when the connection to a hub that had accepted this member is lost
   * @param read what the process says of itself, for a scrape; undefined: nothing
   */
  constructor(
    syscode: string,
    private readonly source: DeltaSource,
    private readonly onLost: () => void,
    private readonly read: () => Promise<Deltas | undefined> = async () => undefined,
  ) {
    this.hello = {
      type: 'hello',
      version: PROTOCOL_VERSION,
      syscode,
      member: randomUUID(),
      pid: process.pid,
      isThread: !isMainThread,
      parent: process.ppid,
    };
    this.fetcher = new ScrapeFetcher({ type: 'scrape', version: PROTOCOL_VERSION, syscode });
  }

  /** Tries to join the hub that listens at a path; never rejects. */
  connect(path: string): Promise<Joined> {
    if (!mayListen(path)) return Promise.resolve('no hub');
    return new Promise((resolve) => {
      const socket = connectUntraced(path);
      let joined: Joined = 'no hub';
      const welcomeLimit = setTimeout(() => {
        joined = 'silent';
        socket.destroy();
      }, WELCOME_LIMIT_MS).unref();
      socket.unref();
      this.socket = socket;
      socket.on('connect', () => {
        const program = ownProgram();
        this.send(program === undefined ? this.hello : { ...this.hello, program });
        // from here on a process that ends can still hand over
        this.endExitListener = onProcessExit(() => this.handOverNow(socket));
      });
      const reader = new MessageReader(socket, {
        maxFrameBytes: MAX_HUB_FRAME_BYTES,
        parse: hubMessage,
        onMessage: (message) => {
          if (message.type === 'refused') {
            joined = message;
            socket.destroy();
            return;
          }
          if (message.type === 'welcome') {
            clearTimeout(welcomeLimit);
            reader.maxFrameBytes = MAX_LEGACY_FRAME_BYTES;
            joined = 'member';
            this.path = path;
            resolve(joined);
          }
          this.receive(message, socket);
        },
        onPaused: () => logPaused('the hub', false),
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        clearTimeout(welcomeLimit);
        const wasWelcome = this.isWelcome;
        if (this.socket === socket) this.detach();
        resolve(joined);
        if (wasWelcome) this.onLost();
      });
    });
  }

  /** Call at each measurement; the first one after a hand-over schedules the next. */
  measured(): void {
    if (this.hasMeasured) return;
    this.hasMeasured = true;
    if (this.isWelcome) this.schedule();
  }

  /** Hands over all that was measured until now; resolves when it is acknowledged, or the connection is lost. */
  async handOver(): Promise<void> {
    await this.take();
    await this.outbox.acknowledged();
  }

  /** Takes the batches that were not acknowledged; for a process that becomes the hub itself. */
  async takeQueue(): Promise<Deltas[]> {
    await this.taken;
    return this.outbox.takeAll(this.lastAdded);
  }

  /** @returns what the last hub has left to this process, which is the hub now; before {@link takeQueue} */
  takeLegacy(): Received | undefined {
    const left = this.legacy.take();
    this.lastAdded = left?.batches.find(([member]) => member === this.hello.member)?.[1] ?? 0;
    return left;
  }

  /** Takes leave of the hub, without a call of onLost. */
  close(): void {
    const { socket } = this;
    if (socket !== undefined && this.isWelcome) this.outbox.sendLast(socket, [], { waitForRoom: false });
    this.detach();
    socket?.destroy();
  }

  /** @returns the scrape of the service, from the hub; rejects with the reason why there is none */
  async fetchScrape(form: ScrapeForm): Promise<ScrapeBody> {
    if (this.path === undefined) throw new Error('no other process serves the metrics');
    return this.fetcher.fetch(this.path, form);
  }

  private receive(message: Exclude<HubMessage, Refused>, socket: Socket): void {
    if (message.type === 'welcome') {
      this.isWelcome = true;
      // before its batches: they may be in it
      for (const left of this.legacy.takeMessages()) this.send(left);
      this.outbox.attach(socket);
      if (this.hasMeasured) void this.take();
    } else if (message.type === 'ack') this.outbox.acknowledge(message.number);
    else if (message.type === 'collect') void this.collect(message.id);
    else if (message.type === 'legacy' || message.type === 'totals') this.legacy.add(message);
    else throw new Error('an answer to no question');
  }

  /** A hub asks again only after an answer, so that of several questions the last one alone is answered. */
  private async collect(id: number): Promise<void> {
    const isUnanswered = this.collectId !== undefined;
    this.collectId = id;
    if (isUnanswered) return;
    const { socket } = this;
    const pauseMs = this.collectedMs + COLLECT_PAUSE_MS - nowMs();
    if (pauseMs > 0) await pause(pauseMs);
    const [reading] = await Promise.all([this.read().catch(() => undefined), this.handOver()]);
    if (this.socket !== socket || this.collectId === undefined) return;
    this.collectedMs = nowMs();
    this.send({ type: 'collected', id: this.collectId, ...(reading && { reading }) });
    this.collectId = undefined;
  }

  private schedule(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.take();
    }, HAND_OVER_MS).unref();
  }

  /** Takes what was measured from the instruments, once there is room for it, and sends it. */
  private take(): Promise<void> {
    this.taken = this.taken.then(() => this.takeOnce()).catch(() => undefined);
    return this.taken;
  }

  private async takeOnce(): Promise<void> {
    await this.outbox.room();
    if (!this.isWelcome) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.hasMeasured = false;
    await this.source.collect();
    await this.outbox.add(this.source.take());
  }

  /** The process ends: only synchronous writes reach the hub, and no answer arrives any more. */
  private handOverNow(socket: Socket): void {
    this.outbox.sendLast(socket, this.source.takeNow());
  }

  private send(message: MemberMessage): void {
    this.socket?.write(encodeFrame(message));
  }

  private detach(): void {
    this.socket = undefined;
    this.isWelcome = false;
    this.collectId = undefined;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.endExitListener();
    this.outbox.detach();
  }
}

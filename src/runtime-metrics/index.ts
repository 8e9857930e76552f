/**
 * The process and its runtime, read when a scrape asks. Loaded with the first reading, and nothing is observed before:
 * most processes of a service are never asked. A part that the system, or a runtime other than Node, does not have is
 * left out.
 */
import type { Deltas } from '../metrics/deltas';
import { readHeapSpaces, readResources } from './engine';
import { EventLoop } from './event-loop';
import { Garbage } from './garbage';
import { readProcess } from './process';
import { Reading } from './reading';

export class RuntimeMetrics {
  private readonly eventLoop = made(() => new EventLoop());
  private readonly garbage = made(() => new Garbage());
  private running: Promise<Deltas> | undefined;

  /** Readings that are asked for at the same time are one. @returns values since the process began; does not reject */
  read(): Promise<Deltas> {
    this.running ??= this.readOnce().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  /** Observes nothing any more. */
  end(): void {
    this.eventLoop?.end();
    this.garbage?.end();
  }

  private async readOnce(): Promise<Deltas> {
    const reading = new Reading();
    const parts = [
      // first: what follows takes time itself
      () => this.eventLoop?.read(reading),
      () => readProcess(reading),
      () => readHeapSpaces(reading),
      () => readResources(reading),
      () => this.garbage?.read(reading),
    ];
    for (const part of parts) {
      try {
        await part();
      } catch {
        // a function of Node's own that this runtime does not have
      }
    }
    return reading.toDeltas();
  }
}

function made<T>(create: () => T): T | undefined {
  try {
    return create();
  } catch {
    return undefined;
  }
}

/**
 * Warnings about the settings, held until this process serves the scrape: one process of a service logs them, and a
 * helper that inherits the settings and only computes logs nothing.
 */
import type { WarningCode } from '../errors';
import { warn } from './log';

/** Further ones are dropped until the release. */
const MAX_HELD = 50;

export class HeldWarnings {
  private held: Parameters<typeof warn>[] | undefined = [];

  /** As `warn`, at the release; after it at once. */
  add(code: WarningCode, cause: string, text: string): void {
    if (this.held === undefined) warn(code, cause, text);
    else if (this.held.length < MAX_HELD) this.held.push([code, cause, text]);
  }

  release(): void {
    for (const each of this.held ?? []) warn(...each);
    this.held = undefined;
  }
}

/** How often something may be done: so many times at once after a rest, and so many a second after that. */
import { nowMs } from '../../runtime/clock';

export class Allowance {
  private left: number;
  private sinceMs = nowMs();

  constructor(
    private readonly burst: number,
    private readonly perSecond: number,
  ) {
    this.left = burst;
  }

  /** @returns whether it may be done now */
  take(): boolean {
    this.refill();
    if (this.left < 1) return false;
    this.left--;
    return true;
  }

  /** What was taken has not been needed. */
  giveBack(): void {
    this.left = Math.min(this.burst, this.left + 1);
  }

  /** Takes more than is there, where that is not known before. */
  owe(amount: number): void {
    this.refill();
    this.left -= amount;
  }

  /** @returns the milliseconds until there is something of it again; 0 when there is */
  waitMs(): number {
    this.refill();
    return Math.max(0, Math.ceil(((1 - this.left) / this.perSecond) * 1000));
  }

  private refill(): void {
    const now = nowMs();
    this.left = Math.min(this.burst, this.left + ((now - this.sinceMs) * this.perSecond) / 1000);
    this.sinceMs = now;
  }
}

/**
 * What was recorded and is not collected yet, in its order.
 *
 * The SDK's collection is asynchronous, and a process that ends cannot wait for it. So what is recorded is noted here
 * too: when a collection has ended, the notes that it covers are dropped, and at the exit those that are left are handed
 * over in its place. A collection reads all instruments of a meter in one step; therefore it covers a beginning of the
 * notes, and its counts say how long that is.
 */
import type { Deltas, SeriesDelta } from './deltas';
import { Rows } from './rows';
import type { Series } from './series';

/** Notes that are added up once there are so many: 512 KiB. Between two collections that is for services under load. */
const ADD_UP_AT = 32_768;
/**
 * Notes that are kept at most, 4 MiB, while a collection is under way: callbacks of the application's instruments
 * may take three seconds.
 */
const MAX_NOTES = 262_144;

export class Journal {
  /** Of each note, in two lists: an object per note would cost more than recording it. */
  private series: Series[] = [];
  private amounts: number[] = [];
  /** Notes of before, added up. A collection that begins later covers all of them. */
  private sums = new Rows();
  /** What would be missing if the process ended now, in the counter of lost measurements. */
  private lost = new Rows();
  private isCollecting = false;

  /** @param lostSeries gives the series that counts lost measurements of another one; undefined where none does */
  constructor(private readonly lostSeries: (series: Series) => Series | undefined) {}

  note(series: Series, amount: number): void {
    if (this.series.length >= ADD_UP_AT && !this.makeRoom()) {
      const lost = this.lostSeries(series);
      if (lost !== undefined) this.lost.record(lost, 1);
      return;
    }
    this.series.push(series);
    this.amounts.push(amount);
  }

  /** First: a collection begins. Which notes it covers is known when it has ended. */
  begin(): void {
    this.isCollecting = true;
  }

  /** Last: it has ended. @param collected everything that it read; undefined when it failed */
  end(collected: Rows | undefined): void {
    this.isCollecting = false;
    if (collected === undefined) return;
    this.lost = new Rows();
    const covered = covers(collected, this.sums);
    this.sums = new Rows();
    const { series, amounts } = this;
    let length = 0;
    while (length < series.length && covered(series[length] as Series, amounts[length] as number)) length++;
    this.series = series.slice(length);
    this.amounts = amounts.slice(length);
  }

  /** @returns all that is noted; the journal is empty then */
  take(): Deltas {
    this.addUp();
    const deltas = [...this.sums.toDeltas(), ...this.lost.toDeltas()];
    this.sums = new Rows();
    this.lost = new Rows();
    return deltas;
  }

  private makeRoom(): boolean {
    if (this.isCollecting) return this.series.length < MAX_NOTES;
    this.addUp();
    return true;
  }

  private addUp(): void {
    const { series, amounts } = this;
    for (const [index, each] of series.entries()) this.sums.record(each, amounts[index] as number);
    this.series = [];
    this.amounts = [];
  }
}

/**
 * @param before what was noted before the notes that are asked for, added up
 * @returns whether the next note, in their order, was collected
 */
function covers(collected: Rows, before: Rows): (series: Series, amount: number) => boolean {
  /** Measurements of a histogram, or the amount of a counter, that were collected and not found among the notes yet. */
  const left = new Map<Series, number>();
  return (series, amount) => {
    const row = collected.get(series);
    if (row === undefined) return false;
    if ('last' in row) return true;
    const rest = left.get(series) ?? measured(row) - measured(before.get(series));
    const rested = rest - ('count' in row ? 1 : amount);
    if (rested < 0) return false;
    left.set(series, rested);
    return true;
  };
}

function measured(row: SeriesDelta | undefined): number {
  if (row === undefined || 'last' in row) return 0;
  return 'count' in row ? row.count : row.add;
}

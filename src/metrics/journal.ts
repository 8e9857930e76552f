/**
 * What was recorded, in its order, until it is collected.
 *
 * Two ends are met by it. The SDK's instruments are written to in batches: their code is cold between two requests, and
 * costs several times as much then as in a loop. And the SDK's collection is asynchronous, while an exit listener is not:
 * what is still here when the process ends is handed over in place of a collection. A collection begins with writing all
 * that is noted, and nothing is written while it is under way; so it covers what was written before it, and no more.
 */
import { TimeSlice } from '../runtime/time-slice';
import type { Deltas } from './deltas';
import { Rows } from './rows';
import type { Series } from './series';

/** Notes that are written at once: less than half a millisecond. */
const BATCH = 1_024;
/** Notes after whose writing a collection waits for a turn of its own. */
const MANY = 512;
/** Written notes that are added up once there are so many: 512 KiB. Between two collections that is for services under load. */
const ADD_UP_AT = 32_768;
/** As many of them at once, in the middle of a request: more would be felt there. */
const ADDED_UP = 4 * BATCH;
/**
 * Notes that are kept at most, 4 MiB, while a collection is under way: callbacks of the application's instruments
 * may take three seconds.
 */
const MAX_NOTES = 262_144;

export class Journal {
  /** Of each note, in two lists: an object per note would cost more than all the rest. */
  private series: Series[] = [];
  private amounts: number[] = [];
  /** How many of the notes are written: the first ones. */
  private written = 0;
  /** Length of the lists at which there is something to do. */
  private room = BATCH;
  /** Written notes of before, added up. */
  private sums = new Rows();
  private isCollecting = false;
  /** What would be missing if the process ended now, in the counter of lost measurements; what came during a collection apart. */
  private lost = new Rows();
  private lostMeanwhile = new Rows();

  /** @param lostSeries gives the series that counts lost measurements of another one; undefined where nothing does */
  constructor(private readonly lostSeries: (series: Series) => Series | undefined) {}

  note(series: Series, amount: number): void {
    if (this.series.length >= this.room && !this.makeRoom()) {
      series.table.write(amount, series.attributes);
      const counter = this.lostSeries(series);
      if (counter !== undefined) this.lostMeanwhile.record(counter, 1);
      return;
    }
    this.series.push(series);
    this.amounts.push(amount);
  }

  /** First: writes all that is noted, in time slices. What is noted from then on is not in the collection that begins. */
  async begin(): Promise<void> {
    const slice = new TimeSlice();
    const before = this.written;
    while (this.written < this.series.length) {
      this.writeBatch();
      if (this.written < this.series.length && slice.isOver()) await slice.wait();
    }
    this.isCollecting = true;
    this.room = MAX_NOTES;
    // the SDK's collection cannot be divided, and may be long where much was noted
    if (this.written - before >= MANY) await slice.wait();
  }

  /** Last: the collection has ended. @param isCollected whether it has read what was written */
  end(isCollected: boolean): void {
    this.isCollecting = false;
    if (isCollected) {
      this.series = this.series.slice(this.written);
      this.amounts = this.amounts.slice(this.written);
      this.written = 0;
      this.sums = new Rows();
      this.lost = this.lostMeanwhile;
      this.lostMeanwhile = new Rows();
    }
    this.room = this.written + BATCH;
  }

  /** @returns all that is noted, written or not; the journal is empty then */
  take(): Deltas {
    this.addUp(this.series.length);
    const deltas = [this.sums, this.lost, this.lostMeanwhile].flatMap((rows) => rows.toDeltas());
    this.sums = new Rows();
    this.lost = new Rows();
    this.lostMeanwhile = new Rows();
    return deltas;
  }

  /** @returns whether a note can be kept */
  private makeRoom(): boolean {
    if (this.isCollecting) return false;
    this.writeBatch();
    if (this.written >= ADD_UP_AT) this.addUp(ADDED_UP);
    // after a long collection there may be many batches, of which each further note writes one
    this.room = Math.max(this.written + BATCH, this.series.length);
    return true;
  }

  private writeBatch(): void {
    const end = Math.min(this.written + BATCH, this.series.length);
    for (let index = this.written; index < end; index++) {
      const { table, attributes } = this.series[index] as Series;
      table.write(this.amounts[index] as number, attributes);
    }
    this.written = end;
  }

  /** Adds up the first notes. */
  private addUp(count: number): void {
    for (let index = 0; index < count; index++) {
      this.sums.record(this.series[index] as Series, this.amounts[index] as number);
    }
    this.series = this.series.slice(count);
    this.amounts = this.amounts.slice(count);
    this.written -= Math.min(count, this.written);
  }
}

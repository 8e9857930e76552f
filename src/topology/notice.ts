/** Tells that something was recorded, without looking at what. */
import type { Instruments } from '../core/instruments';

/** @returns instruments that do the same and call `notice` each time */
export function withNotice(instruments: Instruments, notice: () => void): Instruments {
  const entries = Object.entries(instruments).map(([name, instrument]) => [
    name,
    'record' in instrument
      ? {
          record(value: number, attributes: object) {
            instrument.record(value, attributes as Parameters<typeof instrument.record>[1]);
            notice();
          },
        }
      : {
          add(value: number, attributes: object) {
            instrument.add(value, attributes as Parameters<typeof instrument.add>[1]);
            notice();
          },
        },
  ]);
  return Object.fromEntries(entries) as Instruments;
}

/** Wall-clock times as OpenTelemetry writes them: seconds of the Unix epoch, and nanoseconds. */
import type { HrTime } from '@opentelemetry/api';

const MS_PER_SECOND = 1_000;
const NS_PER_MS = 1_000_000;

export function hrTimeNow(): HrTime {
  return hrTimeOf(Date.now());
}

/** @param ms since the Unix epoch */
export function hrTimeOf(ms: number): HrTime {
  return [Math.floor(ms / MS_PER_SECOND), Math.round((ms % MS_PER_SECOND) * NS_PER_MS)];
}

/** @returns milliseconds since the Unix epoch */
export function millisecondsOf([seconds, nanoseconds]: HrTime): number {
  return seconds * MS_PER_SECOND + nanoseconds / NS_PER_MS;
}

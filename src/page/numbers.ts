/** Numbers as people read them. */

import type { Language } from './language';
import type { Percentile } from './percentiles';

const SECOND_MS = 1_000;
const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;
const MEBIBYTE = 1_048_576;

export interface Numbers {
  count(value: number): string;
  /** @param perSecond undefined while it is not known */
  rate(perSecond: number | undefined): string;
  /** @param part 0 to 1 */
  share(part: number): string;
  duration(ms: number): string;
  percentile(value: Percentile | undefined): string;
  bytes(bytes: number): string;
  /** Of the two largest units. */
  span(seconds: number): string;
  time(epochMs: number): string;
}

export function numbersOf({ tag, words }: Language): Numbers {
  const format = (options: Intl.NumberFormatOptions) => {
    const { format: write } = new Intl.NumberFormat(tag, options);
    return write;
  };
  const whole = format({ maximumFractionDigits: 0 });
  const short = format({ maximumSignificantDigits: 3 });
  const percent = format({ style: 'percent', maximumSignificantDigits: 2 });
  const unit = (name: string) => format({ style: 'unit', unit: name, unitDisplay: 'narrow', maximumFractionDigits: 0 });
  const [days, hours, minutes, seconds] = [unit('day'), unit('hour'), unit('minute'), unit('second')];
  const clock = new Intl.DateTimeFormat(tag, { timeStyle: 'medium' });
  const duration = (ms: number) => (ms < SECOND_MS ? `${short(ms)} ms` : `${short(ms / SECOND_MS)} s`);
  return {
    count: whole,
    rate(perSecond) {
      if (perSecond === undefined) return '…';
      if (perSecond === 0) return `0${words.perSecond}`;
      if (perSecond >= 1) return short(perSecond) + words.perSecond;
      return short(Math.round(perSecond * MINUTE_S * 10) / 10) + words.perMinute;
    },
    share: (part) => (part > 0 && part < 0.0001 ? '< 0.01%' : percent(part)),
    duration,
    percentile(value) {
      if (value === undefined) return '–';
      const sign = { below: '< ', about: '≈ ', above: '> ' }[value.kind];
      return sign + duration(value.ms);
    },
    bytes: (bytes) => `${short(bytes / MEBIBYTE)} MiB`,
    span(all) {
      const parts = [
        [Math.floor(all / DAY_S), days],
        [Math.floor((all % DAY_S) / HOUR_S), hours],
        [Math.floor((all % HOUR_S) / MINUTE_S), minutes],
        [Math.floor(all % MINUTE_S), seconds],
      ] as const;
      const first = parts.findIndex(([value]) => value > 0);
      if (first < 0) return seconds(0);
      return parts
        .slice(first, first + 2)
        .map(([value, write]) => write(value))
        .join(' ');
    },
    time: (epochMs) => clock.format(epochMs),
  };
}

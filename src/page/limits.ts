/** Series against their limits, what overflowed with the setting that helps, and what the exporter lost. */
import { type Context, type Part, say } from './context';
import { byId, element, redraw } from './dom';
import { simpleTable } from './simple-table';
import { KINDS, type Snapshot, valuesOf } from './snapshot';
import type { Word } from './words';

const LABELS_VARIABLE = 'CHANNEL_EXPORTER_LABEL_VALUES_LIMIT';
const SERIES_VARIABLE = 'CHANNEL_EXPORTER_SERIES_LIMIT';
const DROP_VARIABLE = 'CHANNEL_EXPORTER_DROP_LABELS';
/** Where the settings are not on the scrape. */
const DEFAULT_SERIES = 10_000;

/** Counters of what should not be, and the label that says where. */
const LOSSES: readonly (readonly [name: string, word: Word, label: string])[] = [
  ['channel_exporter_lost_measurements_total', 'lost_measurements', 'family'],
  ['channel_exporter_errors_total', 'exporterErrors', 'source'],
  ['channel_exporter_unread_bodies_total', 'unread_bodies', 'reason'],
  ['channel_exporter_dropped_deltas_total', 'dropped_deltas', 'reason'],
  ['channel_exporter_late_deltas_total', 'late_deltas', ''],
  ['channel_exporter_refused', 'refused', 'syscode'],
];

interface Note {
  readonly text: string;
  /** What to set. */
  readonly help?: readonly string[];
}

export function createLimits(context: Context): Part {
  return (snapshot) => {
    const limit = seriesLimit(snapshot);
    const series = KINDS.map((kind) => ({ name: snapshot.names[kind], count: snapshot.families[kind].series }));
    const notes = [...overflows(context, snapshot), ...losses(context, snapshot)];
    redraw(byId('limits'), [series, limit, notes], () => [
      simpleTable(
        say(context, 'limits'),
        [say(context, 'family'), say(context, 'series'), say(context, 'limit'), say(context, 'used')],
        series.map(({ name, count }) => [
          name,
          context.numbers.count(count),
          context.numbers.count(limit),
          meter(context, count, limit),
        ]),
        'unseen',
        [1, 2],
      ),
      notes.length === 0
        ? element('p', { class: 'notes quiet' }, say(context, 'limitsFine'))
        : element('ul', { class: 'notes' }, ...notes.map(noteItem)),
    ]);
  };
}

function meter(context: Context, count: number, limit: number): Element {
  const part = Math.min(count / limit, 1);
  const bar = element('meter', {
    min: '0',
    max: '1',
    high: '0.75',
    optimum: '0',
    value: String(part),
    // the text beside it says the same
    'aria-hidden': 'true',
  });
  return element('span', {}, bar, ` ${context.numbers.share(part)}`);
}

function noteItem({ text, help = [] }: Note): Element {
  return element('li', {}, element('span', { class: 'bad' }, text), ...help.flatMap((each) => [' ', each]));
}

function overflows(context: Context, snapshot: Snapshot): Note[] {
  const count = context.numbers.count;
  const labels = valuesOf(snapshot, 'channel_exporter_label_overflow_total').filter(({ value }) => value > 0);
  const series = valuesOf(snapshot, 'channel_exporter_series_overflow_total').filter(({ value }) => value > 0);
  return [
    ...labels.map(({ labels: { family = '', label = '' }, value }) => ({
      text: say(context, 'overflow', { family, label, count: count(value) }),
      help: [say(context, 'overflowHelp', { setting: `${LABELS_VARIABLE}=${label}=…` })],
    })),
    ...series.map(({ labels: { family = '' }, value }) => ({
      text: say(context, 'seriesOverflow', { family, count: count(value) }),
      help: [say(context, 'seriesHelp', { drop: DROP_VARIABLE, setting: SERIES_VARIABLE })],
    })),
  ];
}

function losses(context: Context, snapshot: Snapshot): Note[] {
  return LOSSES.flatMap(([name, word, label]) =>
    valuesOf(snapshot, name)
      .filter(({ value }) => value > 0)
      .map(({ labels, value }) => ({
        text: say(context, word, { count: context.numbers.count(value), label: labels[label] ?? '' }),
      })),
  );
}

function seriesLimit(snapshot: Snapshot): number {
  const settings = valuesOf(snapshot, 'channel_exporter_setting_info');
  const limit = settings.find(({ labels }) => labels.setting === SERIES_VARIABLE)?.labels.value;
  return Number(limit) || DEFAULT_SERIES;
}

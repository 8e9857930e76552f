/** What stands below the tables: new codes, what is observed, how codes are judged, and the settings. */
import { type Context, type Part, partnerName, say } from './context';
import { byId, element, redraw, setText } from './dom';
import { simpleTable } from './simple-table';
import { KINDS, type Snapshot, valuesOf } from './snapshot';

const MAX_CODES = 50;
const MAX_HOSTS = 60;
const OTHER = 'other';

export function createDetails(context: Context): Part {
  return (snapshot) => {
    drawCodes(context, snapshot);
    drawObserved(context, snapshot);
    drawJudged(context, snapshot);
    drawSettings(context, snapshot);
  };
}

function drawCodes(context: Context, snapshot: Snapshot): void {
  const { history, numbers, openedMs } = context;
  const time = numbers.time(openedMs);
  const codes = [...history.newCodes].reverse().slice(0, MAX_CODES);
  redraw(byId('codes'), codes, () => {
    if (codes.length === 0) return [element('p', { class: 'empty' }, say(context, 'newNone', { time }))];
    const rows = codes.map(({ kind, names, code, isFailure, seenMs }) => [
      code,
      `${say(context, kind)}: ${kind === 'partner' ? partnerName(snapshot, names[0] ?? '') : names[0]} ${names[1] ?? ''}`,
      element('span', isFailure ? { class: 'bad' } : {}, say(context, isFailure ? 'failure' : 'success')),
      numbers.time(seenMs),
    ]);
    const heads = [say(context, 'code'), say(context, 'where'), say(context, 'meaning'), say(context, 'seen')];
    return [simpleTable(say(context, 'newHead', { time }), heads, rows)];
  });
}

function drawObserved(context: Context, snapshot: Snapshot): void {
  const { numbers } = context;
  const of = (name: string) => valuesOf(snapshot, name).filter(({ value }) => value > 0);
  const found = of('channel_exporter_observed_total').map(({ labels: { source = '' }, value }) => ({ source, value }));
  const isFound = new Set(found.map(({ source }) => source));
  const waiting = valuesOf(snapshot, 'channel_exporter_errors_total')
    .map(({ labels: { source = '' } }) => source)
    .filter((source) => !isFound.has(source));
  const hosts = of('channel_exporter_unknown_hosts_total').map(({ labels: { host = '' } }) =>
    host === OTHER ? say(context, 'otherHosts') : host,
  );
  const leftOut = of('channel_exporter_unrecorded_requests_total').flatMap(({ labels: { reason }, value }) =>
    reason === 'not_found' || reason === 'no_route' || reason === 'ignored'
      ? [say(context, reason, { count: numbers.count(value) })]
      : [],
  );
  const misses = of('channel_exporter_partner_misses_total').map(({ labels: { partner = '', reason }, value }) =>
    say(context, reason === 'port' ? 'missPort' : 'missPath', {
      partner: partnerName(snapshot, partner),
      count: numbers.count(value),
    }),
  );
  const unmatched = Object.fromEntries(
    of('channel_exporter_partner_unmatched').map(({ labels: { kind = '' }, value }) => [`${kind}s`, value]),
  );
  const list = (texts: readonly string[]) => texts.join(say(context, 'separator'));
  const rows: [string, string][] = [
    [
      say(context, 'observedFound'),
      list(
        found.map(({ source, value }) =>
          value > 1 ? say(context, 'observedInSome', { source, count: value }) : source,
        ),
      ) || say(context, 'observedNone'),
    ],
    [say(context, 'observedWaiting'), list(waiting) || '–'],
    [say(context, 'unrecorded'), list(leftOut) || say(context, 'unrecordedNone')],
    [say(context, 'unknownHosts'), list(hosts.slice(0, MAX_HOSTS)) || say(context, 'unknownHostsNone')],
  ];
  if (misses.length > 0) rows.push([say(context, 'misses'), list(misses.slice(0, MAX_HOSTS))]);
  if (Object.keys(unmatched).length > 0) {
    rows.push([say(context, 'unmatched'), say(context, 'unmatchedSome', { hosts: 0, paths: 0, ...unmatched })]);
  }
  redraw(byId('observed'), rows, () =>
    rows.flatMap(([term, text]) => [element('dt', {}, term), element('dd', {}, text)]),
  );
}

/** How failures are told, with the codes that are known. */
function drawJudged(context: Context, snapshot: Snapshot): void {
  const { names } = snapshot;
  const families = new Set<string | undefined>();
  const known = new Map<string, Set<string>>();
  for (const { labels } of valuesOf(snapshot, 'channel_business_code_info')) {
    if (labels.success !== 'true') continue;
    const kind = KINDS.find((each) => names[each] === labels.family);
    if (kind === undefined) continue;
    families.add(labels.family);
    const what = labels.partner ? partnerName(snapshot, labels.partner) : say(context, kind);
    known.set(what, (known.get(what) ?? new Set()).add(labels.code ?? ''));
  }
  const texts = [...known]
    .slice(0, MAX_CODES)
    .map(([what, codes]) => say(context, 'judgedKnown', { what, codes: [...codes].slice(0, MAX_CODES).join(', ') }));
  for (const kind of ['inner', 'partner'] as const) {
    if (!families.has(names[kind])) texts.push(say(context, 'judgedZero', { what: say(context, kind) }));
  }
  texts.push(say(context, 'judgedStatus'), say(context, 'judgedPercentiles'));
  redraw(byId('judged'), texts, () => texts.map((text) => element('li', {}, text)));
}

function drawSettings(context: Context, snapshot: Snapshot): void {
  const all = valuesOf(snapshot, 'channel_exporter_setting_info').map(({ labels }) => labels);
  const isSet = ({ set }: (typeof all)[number]) => set === 'true';
  const ordered = [...all.filter(isSet), ...all.filter((each) => !isSet(each))];
  const set = all.filter(isSet).length;
  setText(byId('settings-summary'), say(context, 'showSettings', { count: all.length, set }));
  redraw(byId('settings'), ordered, () => {
    const heads = [say(context, 'setting'), say(context, 'value'), say(context, 'origin')];
    const rows = ordered.map((each) => [
      element('code', {}, each.setting ?? ''),
      element('code', {}, each.value ?? ''),
      say(context, isSet(each) ? 'isSet' : 'isDefault'),
    ]);
    return [simpleTable(say(context, 'settings'), heads, rows, 'unseen')];
  });
}

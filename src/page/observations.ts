/** The table of one family: a line for each path, action of a partner, or topic. */
import { type Context, type Part, partnerName, say } from './context';
import { byId, element, redraw, setText } from './dom';
import type { Kind, Snapshot } from './snapshot';
import { COLUMNS, type Column, FIRST_ORDER, type Line, linesOf, type Order, sorted } from './sorting';
import { createSparkline, type Sparkline } from './sparkline';
import type { Word } from './words';

/** Lines that are drawn; a family may have thousands. */
const MAX_LINES = 100;
const MAX_CODES = 6;

const WORDS: Readonly<Record<Kind, { readonly name: Word; readonly caption: Word; readonly empty: Word }>> = {
  inner: { name: 'path', caption: 'captionInner', empty: 'emptyInner' },
  partner: { name: 'partnerName', caption: 'captionPartner', empty: 'emptyPartner' },
  consumer: { name: 'topic', caption: 'captionConsumer', empty: 'emptyConsumer' },
};
/** Of the column of curves: it is not read aloud, because the rate beside it says as much. */
const TREND = { class: 'trend', 'aria-hidden': 'true' };
const COLUMN_WORDS: Readonly<Record<Exclude<Column, 'name'>, Word>> = {
  rate: 'rate',
  count: 'count',
  errors: 'errors',
  mean: 'mean',
  p50: 'p50',
  p95: 'p95Short',
  p99: 'p99',
};

interface Drawn {
  readonly row: HTMLTableRowElement;
  readonly cells: Readonly<Record<Column, HTMLElement>>;
  readonly curve: Sparkline;
  readonly codes: HTMLElement;
}

/** @returns what draws it, also after a change of the order or the period */
export function createObservations(context: Context, kind: Kind): Part {
  const section = byId(kind);
  const body = element('tbody');
  const cut = element('p', { class: 'quiet' });
  const empty = element('p', { class: 'empty' });
  const drawn = new Map<string, Drawn>();
  let order: Order = FIRST_ORDER;
  let last: Snapshot | undefined;

  const wordOf = (column: Column) => say(context, column === 'name' ? WORDS[kind].name : COLUMN_WORDS[column]);
  const headings = new Map<Column, HTMLTableCellElement>();
  for (const column of COLUMNS) {
    const button = element('button', { type: 'button' }, wordOf(column));
    button.addEventListener('click', () => {
      const isSame = order.column === column;
      order = { column, isDescending: isSame ? !order.isDescending : column !== 'name' };
      showOrder();
      context.say(orderText());
      if (last !== undefined) draw(last);
    });
    headings.set(column, element('th', { scope: 'col', class: column === 'name' ? undefined : 'number' }, button));
  }
  const caption = element('caption', { id: `${kind}-order` });
  const orderText = () =>
    say(context, 'sorted', {
      column: wordOf(order.column),
      order: say(context, order.isDescending ? 'descending' : 'ascending'),
    });
  const showOrder = () => {
    setText(caption, say(context, WORDS[kind].caption, { sorted: orderText() }));
    for (const [column, heading] of headings) {
      if (column !== order.column) heading.removeAttribute('aria-sort');
      else heading.setAttribute('aria-sort', order.isDescending ? 'descending' : 'ascending');
    }
  };
  showOrder();
  const [name, rate, ...others] = headings.values();
  const head = element(
    'tr',
    {},
    name as Element,
    rate as Element,
    element('th', { ...TREND, scope: 'col' }, say(context, 'trend')),
    ...others,
    element('th', { scope: 'col' }, say(context, 'codes')),
  );
  const names = { 'aria-labelledby': `${kind}-title`, 'aria-describedby': `${kind}-order` };
  const table = element('table', names, caption, element('thead', {}, head), body);
  const region = { class: 'scroll', role: 'group', tabindex: '0', 'aria-labelledby': `${kind}-title` };
  const scroll = element('div', region, table);
  section.append(scroll, cut, empty);

  const drawnOf = (line: Line): Drawn => {
    const known = drawn.get(line.key);
    if (known !== undefined) return known;
    const made = createRow();
    drawn.set(line.key, made);
    return made;
  };

  const draw = (snapshot: Snapshot) => {
    last = snapshot;
    const all = sorted(linesOf(context.history, kind, context.isLately), order);
    const lines = all.slice(0, MAX_LINES);
    scroll.hidden = lines.length === 0;
    empty.hidden = !scroll.hidden;
    if (scroll.hidden) setText(empty, emptyText(context, kind, snapshot));
    cut.hidden = all.length <= lines.length;
    setText(cut, say(context, 'cut', { shown: lines.length, all: all.length }));
    const rows = lines.map((line) => {
      const row = drawnOf(line);
      drawLine(context, kind, snapshot, line, row);
      return row.row;
    });
    // rows that stay in their places are not touched
    for (const [index, row] of rows.entries()) {
      if (body.children[index] !== row) body.insertBefore(row, body.children[index] ?? null);
    }
    while (body.children.length > rows.length) body.lastElementChild?.remove();
    const kept = new Set(lines.map(({ key }) => key));
    for (const key of drawn.keys()) if (!kept.has(key)) drawn.delete(key);
  };
  return draw;
}

function createRow(): Drawn {
  const number = () => element('td', { class: 'number' });
  const cells = {
    name: element('th', { scope: 'row' }),
    rate: number(),
    count: number(),
    errors: number(),
    mean: number(),
    p50: number(),
    p95: number(),
    p99: number(),
  };
  const curve = createSparkline();
  const codes = element('ul', { class: 'chips' });
  const { name, rate, ...others } = cells;
  const trend = element('td', TREND);
  trend.append(curve.root);
  const row = element('tr', {}, name, rate, trend, ...Object.values(others), element('td', {}, codes));
  return { row, cells, curve, codes };
}

function drawLine(context: Context, kind: Kind, snapshot: Snapshot, line: Line, { cells, curve, codes }: Drawn): void {
  const { numbers, history } = context;
  const names = kind === 'partner' ? partnerNames(context, snapshot, line) : line.names;
  redraw(cells.name, names, () =>
    names.map((name, index) =>
      element('span', { class: index === 0 ? undefined : 'quiet' }, index === 0 ? name : ` / ${name}`),
    ),
  );
  setText(cells.rate, numbers.rate(line.rate));
  setText(cells.count, numbers.count(line.count));
  setText(cells.errors, numbers.share(line.errors));
  cells.errors.classList.toggle('bad', line.errors > 0);
  setText(cells.mean, numbers.duration(line.mean));
  for (const each of ['p50', 'p95', 'p99'] as const) setText(cells[each], numbers.percentile(line[each]));
  const points = history.curve(kind, line.key);
  curve.draw(points, Math.max(...points));
  const chips = [
    ...line.codes.slice(0, MAX_CODES).map(({ code, count, isFailure }) => ({
      text: code === '' || code === '-1' ? say(context, 'noCode') : code,
      count,
      isFailure,
      isNew: history.isNew(kind, line.key, code),
    })),
    ...(kind === 'partner' ? causesOf(context, snapshot, line) : []),
  ];
  const left = line.codes.length - MAX_CODES;
  redraw(codes, [chips, left], () => [
    ...chips.map(({ text, count, isFailure, isNew }) =>
      element(
        'li',
        { class: isFailure ? 'bad' : undefined, title: text },
        element('b', {}, text),
        ` ×${numbers.count(count)}`,
        // what the colour says
        ...(isFailure ? [element('span', { class: 'unseen' }, ` ${say(context, 'failure')}`)] : []),
        ...(isNew ? [element('span', { class: 'new' }, say(context, 'isNew'))] : []),
      ),
    ),
    ...(left > 0 ? [element('li', { class: 'quiet' }, say(context, 'more', { count: left }))] : []),
  ]);
}

function partnerNames(context: Context, snapshot: Snapshot, { names: [partner = '', action = ''] }: Line): string[] {
  return [partnerName(snapshot, partner), action === '' ? say(context, 'unknownAction') : action];
}

/** Why calls had no whole answer, since the start. */
function causesOf(context: Context, { others }: Snapshot, { names: [partner, action] }: Line) {
  if (context.isLately) return [];
  const errors = others.get('partner_http_errors_total') ?? [];
  const own = errors.filter(
    ({ labels, value }) => value > 0 && labels.partner === partner && labels.action_code === action,
  );
  return own.map(({ labels: { error = '' }, value }) => {
    return { text: say(context, 'causes', { cause: error }), count: value, isFailure: true, isNew: false };
  });
}

function emptyText(context: Context, kind: Kind, { families, others }: Snapshot): string {
  if (families[kind].rows.size > 0) return say(context, 'emptyLately');
  const partners = others.get('channel_partner_info')?.length ?? 0;
  return say(context, WORDS[kind].empty, { partners });
}

/** The three families at a glance. */
import { type Context, type Part, partnerName, say } from './context';
import { byId, element, redraw, setText } from './dom';
import { WHOLE } from './history';
import { orderOf } from './percentiles';
import { KINDS, type Kind, type Snapshot } from './snapshot';
import { type Line, lineOf, linesOf } from './sorting';
import { createSparkline } from './sparkline';
import { type RowTotal, since, whole } from './totals';

export function createCards(context: Context): Part {
  byId('cards').setAttribute('aria-label', say(context, 'glance'));
  const parts = KINDS.map((kind) => createCard(context, kind));
  return (snapshot) => {
    for (const part of parts) part(snapshot);
  };
}

function createCard(context: Context, kind: Kind): Part {
  const { numbers, history } = context;
  const big = element('p', { class: 'big' });
  const list = element('dl');
  const curve = createSparkline();
  const title = element('p', {}, element('a', { href: `#${kind}` }, say(context, kind)));
  byId('cards').append(
    element('div', { class: 'card', role: 'group', 'aria-label': say(context, kind) }, title, big, list),
  );
  title.after(curve.root);
  return (snapshot) => {
    const family = snapshot.families[kind];
    const points = history.curve(kind, WHOLE);
    const most = Math.max(0, ...points);
    setText(big, numbers.rate(rateOf(context, kind, snapshot)));
    curve.draw(points, most, say(context, 'curve', { most: numbers.rate(most) }));
    const lines = linesOf(history, kind, context.isLately);
    const all = lineOf(family.boundaries, wholeOf(context, kind, snapshot), undefined);
    const failing = best(lines, ({ errors }) => errors);
    const slowest = best(lines, ({ p95, mean }) => orderOf(p95) + Math.min(mean / 1e6, 0.9));
    const nameOf = ({ names: [name = '', action = ''] }: Line) =>
      kind === 'partner' ? `${partnerName(snapshot, name)} / ${action}` : name;
    const rows: [string, string, string?][] = [
      [say(context, 'count'), numbers.count(all.count)],
      [say(context, 'errors'), all.count === 0 ? '–' : numbers.share(all.errors)],
      [say(context, 'p95'), numbers.percentile(all.p95)],
    ];
    if (failing !== undefined && failing.errors > 0) {
      rows.push([say(context, 'failing'), nameOf(failing), numbers.share(failing.errors)]);
    } else if (failing !== undefined) rows.push([say(context, 'failing'), say(context, 'nothingFailed')]);
    if (slowest !== undefined) rows.push([say(context, 'slowest'), nameOf(slowest), numbers.percentile(slowest.p95)]);
    redraw(list, rows, () =>
      rows.flatMap(([term, text, value]) => [
        element('dt', {}, term),
        element(
          'dd',
          {},
          element('span', { title: text }, text),
          ...(value === undefined ? [] : [element('span', {}, value)]),
        ),
      ]),
    );
  };
}

function wholeOf(context: Context, kind: Kind, snapshot: Snapshot): RowTotal {
  return context.isLately ? latelyOf(context, kind, snapshot) : whole(snapshot.families[kind]);
}

function latelyOf({ history: { first } }: Context, kind: Kind, { families }: Snapshot): RowTotal {
  return since(whole(families[kind]), first && whole(first.families[kind]));
}

/** @returns undefined before the second scrape */
function rateOf(context: Context, kind: Kind, snapshot: Snapshot): number | undefined {
  const { secondsLately } = context.history;
  return secondsLately > 0 ? latelyOf(context, kind, snapshot).count / secondsLately : undefined;
}

/** @returns the line with the highest value; undefined without lines */
function best(lines: readonly Line[], measure: (line: Line) => number): Line | undefined {
  return lines.reduce<Line | undefined>(
    (most, line) => (most === undefined || measure(line) > measure(most) ? line : most),
    undefined,
  );
}

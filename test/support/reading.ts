/** What whoever hears a page cannot do without, told by its accessibility tree. */
import type { Spoken } from './browser';

const LANDMARKS = ['banner', 'navigation', 'main', 'region', 'complementary', 'search', 'form', 'contentinfo'];
const CELLS = ['cell', 'gridcell', 'rowheader', 'columnheader'];
/** Have to be unlike others of their role. */
const UNIQUE = ['region', 'table'];
/** Have to have a name, whether they can be used or not. */
const NAMED = [...UNIQUE, 'columnheader', 'rowheader', 'image', 'img', 'meter', 'heading', 'group'];
/** Characters that are read as "downwards arrow" and the like. */
const DRAWN = /[\u2190-\u21ff\u25a0-\u27bf]/;

/** A node and all below it, in the order in which they are read. */
export function flat(nodes: readonly Spoken[]): readonly Spoken[] {
  return nodes.flatMap((node) => [node, ...flat(node.children)]);
}

/** Landmarks, headings and tables, a line each, such as `heading 2 Partner calls`. */
export function outline(nodes: readonly Spoken[]): readonly string[] {
  const shown = flat(nodes).filter(({ role }) => [...LANDMARKS, 'heading', 'table', 'status'].includes(role));
  return shown.map(({ role, name, properties: { level } }) =>
    [role, role === 'heading' ? level : '', name].filter((part) => part !== '').join(' '),
  );
}

/** @returns a text for each fault */
export function readingFaults(nodes: readonly Spoken[]): readonly string[] {
  const all = flat(nodes);
  const text = ({ role, name }: Spoken) => `${role} "${name}"`;
  const nameless = all.filter(
    ({ role, name, properties }) => name.trim() === '' && (NAMED.includes(role) || properties.focusable === true),
  );
  const drawn = all.filter(({ role, name }) => role !== 'StaticText' && DRAWN.test(name));
  const twice = UNIQUE.flatMap((role) => {
    const names = all.filter((node) => node.role === role).map(({ name }) => name);
    return names.filter((name, index) => names.indexOf(name) !== index).map((name) => `two of ${role} "${name}"`);
  });
  return [
    ...nameless.map((node) => `has no name: ${text(node)}`),
    ...drawn.map((node) => `is read as a drawing: ${text(node)}`),
    ...twice,
    ...headingGaps(all),
    ...all.filter(({ role }) => role === 'table').flatMap(tableFaults),
  ];
}

function headingGaps(all: readonly Spoken[]): readonly string[] {
  const headings = all.filter(({ role }) => role === 'heading');
  const levels = [0, ...headings.map(({ properties: { level } }) => Number(level))];
  return headings
    .filter((_, index) => Number(levels[index + 1]) > Number(levels[index]) + 1)
    .map(({ name }) => `a level is missing before heading "${name}"`);
}

/** Every row has to have a cell for each heading, the first of them the heading of the row. */
function tableFaults(table: Spoken): readonly string[] {
  const [head, ...rows] = flat([table])
    .filter(({ role }) => role === 'row')
    .map(({ children }) => flat(children).filter(({ role }) => CELLS.includes(role)));
  if (head === undefined || head.length === 0) return [`has no headings: table "${table.name}"`];
  const isWhole = head.every(({ role }) => role === 'columnheader');
  const odd = rows.filter((cells) => cells.length !== head.length || cells[0]?.role !== 'rowheader');
  return [
    ...(isWhole ? [] : [`has cells among its headings: table "${table.name}"`]),
    ...odd.map((cells) => `table "${table.name}" has a row unlike its headings: ${cells.map(({ name }) => name)}`),
  ];
}

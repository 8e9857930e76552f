/** A table of texts that is drawn as a whole. */
import { element } from './dom';

export type Cell = string | Element;

/**
 * @param captionClass of the caption; `unseen` where a heading says the same
 * @param numbers indices of columns of numbers
 */
export function simpleTable(
  caption: string,
  heads: readonly string[],
  rows: readonly (readonly Cell[])[],
  captionClass?: string,
  numbers: readonly number[] = [],
): HTMLElement {
  const numberAt = (index: number) => (numbers.includes(index) ? 'number' : undefined);
  const head = heads.map((text, index) => element('th', { scope: 'col', class: numberAt(index) }, text));
  const body = rows.map((cells) => {
    const made = cells.map((cell, index) =>
      index === 0 ? element('th', { scope: 'row' }, cell) : element('td', { class: numberAt(index) }, cell),
    );
    return element('tr', {}, ...made);
  });
  const table = element(
    'table',
    {},
    element('caption', { class: captionClass }, caption),
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...body),
  );
  return element('div', { class: 'scroll', role: 'group', tabindex: '0', 'aria-label': caption }, table);
}

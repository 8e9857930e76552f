/** Puts tables in their places in docs/performance.md, between `<!-- <part> -->` and `<!-- end of <part> -->`, and charts beside. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { barChart, THEME_NAMES } from './chart.mjs';

const DOCS = join(import.meta.dirname, '../../docs');
const DOCUMENT = join(DOCS, 'performance.md');
const IMAGES = 'images';

/** @throws when the document has no such place */
export function updateDocument(part, text) {
  const [before, after] = [`<!-- ${part} -->\n`, `<!-- end of ${part} -->`];
  const document = readFileSync(DOCUMENT, 'utf8');
  const [start, end] = [document.indexOf(before), document.indexOf(after)];
  if (start < 0 || end < start) throw new Error(`${DOCUMENT} has no place for ${part}`);
  const updated = `${document.slice(0, start + before.length)}\n${text}\n\n${document.slice(end)}`;
  writeFileSync(DOCUMENT, updated);
}

/** Writes a chart for light and for dark pages. @returns what shows it in the document */
export function drawChart(part, chart) {
  mkdirSync(join(DOCS, IMAGES), { recursive: true });
  const fileOf = (theme) => `${IMAGES}/performance-${part}-${theme}.svg`;
  for (const theme of THEME_NAMES) writeFileSync(join(DOCS, fileOf(theme)), barChart(chart, theme));
  return `<picture><source media="(prefers-color-scheme: dark)" srcset="${fileOf('dark')}"><img alt="${chart.title}" src="${fileOf('light')}"></picture>`;
}

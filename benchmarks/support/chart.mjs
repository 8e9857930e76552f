/** Bars with their intervals as SVG, in the colours of a light and of a dark page; no script, no font of its own. */

const THEMES = {
  light: { text: '#1f2328', muted: '#59636e', rule: '#d1d9e0', ours: '#0969da', other: '#afb8c1', whisker: '#1f2328' },
  dark: { text: '#f0f6fc', muted: '#9198a1', rule: '#3d444d', ours: '#4493f8', other: '#656c76', whisker: '#f0f6fc' },
};
export const THEME_NAMES = Object.keys(THEMES);

const WIDTH = 760;
const LABEL_WIDTH = 250;
const VALUE_WIDTH = 104;
const ROW_HEIGHT = 22;
const BAR_HEIGHT = 13;
const GROUP_HEIGHT = 34;
const HEAD_HEIGHT = 36;
const FOOT_HEIGHT = 26;
const TICKS = [0, 0.25, 0.5, 0.75, 1];

/**
 * @param {{ title: string, foot: string, groups: { name: string, bars: { name: string, value: number, within?: number,
 *   isOurs: boolean }[] }[] }} chart values are ratios, of which 1 has a line
 * @param {keyof typeof THEMES} theme
 * @returns {string} the SVG
 */
export function barChart({ title, foot, groups }, theme) {
  const colours = THEMES[theme];
  const most = Math.max(1.1, ...groups.flatMap(({ bars }) => bars.map(({ value, within = 0 }) => value + within)));
  const scale = (value) => LABEL_WIDTH + (Math.max(0, value) / most) * (WIDTH - LABEL_WIDTH - VALUE_WIDTH);
  const parts = [text(16, 22, title, colours.text, 'font-weight="600" font-size="15"')];
  let y = HEAD_HEIGHT;
  for (const { name, bars } of groups) {
    parts.push(text(16, y + 20, name, colours.text, 'font-weight="600"'));
    y += GROUP_HEIGHT;
    const bottom = y + bars.length * ROW_HEIGHT;
    for (const tick of TICKS) parts.push(line(scale(tick), y - 4, scale(tick), bottom, colours.rule));
    for (const bar of bars) {
      parts.push(...rowOf(bar, y, scale, colours));
      y += ROW_HEIGHT;
    }
  }
  const height = y + FOOT_HEIGHT;
  parts.push(text(16, height - 9, foot, colours.muted, 'font-size="11"'));
  const size = `width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"`;
  const font = 'font-family="system-ui, sans-serif" font-size="13"';
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${font} role="img" aria-label="${escaped(title)}">\n${parts.join('\n')}\n</svg>\n`;
}

function rowOf({ name, value, within, isOurs }, y, scale, colours) {
  const middle = y + ROW_HEIGHT / 2;
  const bar = `<rect x="${at(scale(0))}" y="${at(middle - BAR_HEIGHT / 2)}" width="${at(scale(value) - scale(0))}" height="${BAR_HEIGHT}" rx="2" fill="${isOurs ? colours.ours : colours.other}"/>`;
  const whisker =
    within === undefined ? [] : [line(scale(value - within), middle, scale(value + within), middle, colours.whisker)];
  const figure = within === undefined ? value.toFixed(2) : `${value.toFixed(2)} ±${within.toFixed(2)}`;
  return [
    text(LABEL_WIDTH - 10, middle + 4, name, colours.text, `text-anchor="end"${isOurs ? ' font-weight="600"' : ''}`),
    bar,
    ...whisker,
    text(WIDTH - 16, middle + 4, figure, colours.muted, 'text-anchor="end"'),
  ];
}

function text(x, y, content, fill, more = '') {
  return `<text x="${at(x)}" y="${at(y)}" fill="${fill}" ${more}>${escaped(content)}</text>`;
}

function line(x1, y1, x2, y2, stroke) {
  return `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" stroke="${stroke}"/>`;
}

/** A tenth of a pixel is enough, and the files stay alike from run to run. */
const at = (value) => Number(value.toFixed(1));

function escaped(content) {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

/** Markdown tables, in the form that docs/performance.md has them. */

/** @param {string[]} head its first column is text, the others are figures */
export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** `0.97 (0.95–0.98)`: the median with its quartiles. */
export function spreadText({ median, low, high }, digits = 2) {
  return `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}

/** `0.97 ±0.01 (0.95–0.98)`: the median, how well it is known, and the quartiles. One fleet tells nothing of the second. */
export function certainText(ratio) {
  const { median, low, high, within } = ratio;
  // JSON has no infinity
  const known = within === null || !Number.isFinite(within) ? '' : `±${within.toFixed(2)} `;
  return `${median.toFixed(2)} ${known}(${low.toFixed(2)}–${high.toFixed(2)})`;
}

/** @returns digits in groups of three */
export function grouped(value, digits = 0) {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

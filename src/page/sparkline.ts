/** A small curve of what happened a second. */

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 100;
const HEIGHT = 20;

export interface Sparkline {
  readonly root: SVGElement;
  /** @param label said of it; absent where the numbers beside it say enough */
  draw(points: readonly number[], most: number, label?: string): void;
}

/** Fewer points leave room on the left. */
const LEAST_POINTS = 12;

export function createSparkline(): Sparkline {
  const root = document.createElementNS(SVG, 'svg');
  const area = document.createElementNS(SVG, 'polygon');
  const line = document.createElementNS(SVG, 'polyline');
  root.setAttribute('class', 'curve');
  root.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  root.setAttribute('preserveAspectRatio', 'none');
  root.append(area, line);
  return {
    root,
    draw(points, most, label) {
      if (label === undefined) root.setAttribute('aria-hidden', 'true');
      else {
        root.setAttribute('role', 'img');
        root.setAttribute('aria-label', label);
      }
      const step = WIDTH / (Math.max(points.length, LEAST_POINTS) - 1);
      const left = WIDTH - (points.length - 1) * step;
      const at = (value: number, index: number) =>
        `${(left + index * step).toFixed(1)},${(HEIGHT - (most > 0 ? value / most : 0) * HEIGHT).toFixed(1)}`;
      const text = points.length < 2 ? '' : points.map(at).join(' ');
      line.setAttribute('points', text);
      area.setAttribute('points', text && `${left.toFixed(1)},${HEIGHT} ${text} ${WIDTH},${HEIGHT}`);
    },
  };
}

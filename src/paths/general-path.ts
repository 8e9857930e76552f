/** A path with what stands for its values: `/orders/17` becomes `/orders/:id`. */
import { generalSegment } from './segment';

/** A label has room for fewer; what is behind them is not looked at. */
const MAX_CHARACTERS = 256;

/**
 * @param path decoded
 * @returns the path itself where nothing in it looks like a value
 */
export function generalPath(path: string): string {
  let general: string | undefined;
  for (let start = 0; start < path.length; ) {
    const slash = path.indexOf('/', start);
    const end = slash < 0 ? path.length : slash;
    if (end > start) {
      const segment = path.slice(start, end);
      const value = generalSegment(segment);
      if (value !== segment) general ??= path.slice(0, start);
      if (general !== undefined) general += value;
    }
    if (slash >= 0 && general !== undefined) general += '/';
    if ((general?.length ?? end) >= MAX_CHARACTERS) break;
    start = end + 1;
  }
  return general ?? path;
}

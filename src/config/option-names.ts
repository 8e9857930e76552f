/** What is wrong with the names of options given to `start()`, and which ones are meant. */
import { nearest, type Problem, problem } from '../errors';

/** Shorter names are contained in too many others. */
const MIN_CONTAINED = 3;

/**
 * @param options as given by the application
 * @returns undefined for an object
 */
export function optionsFault(options: unknown): Problem | undefined {
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return undefined;
  const remedy =
    typeof options === 'string' ? `Pass { syscode: '${options.slice(0, 20)}' }.` : "Pass { syscode: '…' }, or nothing.";
  return problem('CHX_OPTIONS_INVALID', {
    wrong: 'the options are no object',
    got: options,
    expected: 'an object',
    remedy,
  });
}

/** @param known names of all options */
export function unknownOptions(known: readonly string[], options: object): Problem[] {
  return Object.keys(options)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const near = meantBy(name, known);
      return problem('CHX_OPTION_UNKNOWN', {
        wrong: 'there is no such option',
        got: name,
        expected: `one of ${known.join(', ')}`,
        remedy: near === undefined ? 'Remove it.' : `Did you mean ${near}?`,
      });
    });
}

/** Also for names as Python and variables write them, such as `inner_metrics_buckets`, `metrics_port` or `SYSCODE`. */
function meantBy(name: string, known: readonly string[]): string | undefined {
  const wanted = folded(name);
  const same = known.find((option) => folded(option) === wanted);
  if (same !== undefined) return same;
  const isPart = (part: string, whole: string) => part.length >= MIN_CONTAINED && whole.includes(part);
  return (
    nearest(wanted, known) ??
    known.find((option) => isPart(folded(option), wanted)) ??
    known.find((option) => isPart(wanted, folded(option)))
  );
}

function folded(name: string): string {
  return name
    .toLowerCase()
    .replace(/^channel_exporter_/, '')
    .replace(/[-_]/g, '');
}

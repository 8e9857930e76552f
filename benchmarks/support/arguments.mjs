/** What `npm run bench` is asked for, on its command line. */
import { parseArgs } from 'node:util';
import { nodeOfLine, unknownLines } from '../../scripts/node-lines.mjs';
import { BARE } from './comparison.mjs';

export const PARTS = ['inbound', 'outbound', 'scrape', 'startup', 'memory', 'scale', 'instructions'];
/** With --within, more fleets than these are not started. */
const MOST_FLEETS = 40;

const USAGE = `npm run bench -- [${PARTS.join(' | ')}] [--short] [--rounds <n>] [--within <share>] [--only <part of a section's name>]
                 [--variants <regular expression>] [--node <line>] [--print] [--update]`;

/**
 * @returns {{ parts: string[], only: string, isPrintedOnly: boolean, isUpdate: boolean, options: object, node?: string }}
 *   `options` are those of the parts; `node`: the binary that is to run this in place of the own one
 */
export function readArguments() {
  const { positionals, values } = parse();
  const number = (name) => (values[name] === undefined ? undefined : Number(values[name]));
  const [rounds, within] = [number('rounds'), number('within')];
  const isRefused =
    positionals.some((name) => !PARTS.includes(name)) ||
    (rounds !== undefined && !(rounds >= 1)) ||
    (within !== undefined && !(within > 0)) ||
    (values.node !== undefined && unknownLines([values.node]).length > 0);
  if (isRefused) refuse();
  const wanted = new RegExp(values.variants);
  return {
    parts: positionals.length > 0 ? positionals : PARTS,
    only: values.only,
    isPrintedOnly: values.print,
    isUpdate: values.update,
    options: {
      length: values.short ? 'short' : 'full',
      ...(rounds === undefined ? {} : { rounds }),
      ...(within === undefined ? {} : { within, most: MOST_FLEETS }),
      // ratios are to the bare application, which is never left out
      isWanted: (variant) => variant === BARE || wanted.test(variant),
    },
    ...(values.node === undefined ? {} : { node: nodeOfLine(values.node) }),
  };
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        short: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        within: { type: 'string' },
        only: { type: 'string', default: '' },
        variants: { type: 'string', default: '' },
        node: { type: 'string' },
        print: { type: 'boolean', default: false },
        update: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    console.error(error.message);
    return refuse();
  }
}

function refuse() {
  console.error(`usage: ${USAGE}`);
  process.exit(1);
}

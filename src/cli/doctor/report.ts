/** What the doctor writes: what is wrong first, each with its mend, then what is there. */

import { VERSION } from '../../version';
import { counted, type Output, table } from '../terminal';
import type { Facts } from './facts';
import type { Counted } from './observed';
import type { Found } from './pitfalls';

/** One of them, by the name of its pitfall. */
export type NamedFound = Found & { readonly name: string };

/** Rows of a list shown. */
const SHOWN = 10;

export function showReport(
  output: Output,
  facts: Facts,
  found: readonly NamedFound[],
  outOfReach: readonly string[],
): void {
  const [losses, notes] = [found.filter(({ isLoss }) => isLoss), found.filter(({ isLoss }) => !isLoss)];
  const summary = `${counted(losses.length, 'mistake')} that may lose measurements, ${counted(notes.length, 'note')}`;
  output.line(summary, losses.length > 0 ? 'bad' : 'good');
  section(output, 'mistakes', losses);
  section(output, 'notes', notes);
  title(output, 'what is there');
  for (const line of table(whatIsThere(facts))) output.line(`  ${line}`);
  if (facts.run !== undefined) {
    title(output, `what was observed in ${facts.run.seconds} s`);
    for (const line of table(whatWasObserved(facts.run))) output.line(`  ${line}`);
  }
  title(output, 'what cannot be found from here');
  for (const each of outOfReach) output.line(`  ${each}`);
}

function title(output: Output, text: string): void {
  output.line();
  output.line(text, 'title');
}

function section(output: Output, name: string, found: readonly NamedFound[]): void {
  if (found.length === 0) return;
  title(output, name);
  for (const { name: pitfall, text, mend, isLoss } of found) {
    output.line(`  ${pitfall}: ${text}`, isLoss ? 'bad' : 'warn');
    if (mend !== '') output.line(`    ${mend}`);
  }
}

function whatIsThere({ nodeVersion, packages, code, bundles, port, settings, folder, manifest }: Facts): string[][] {
  const list = (items: readonly string[]) => items.join(', ') || 'none';
  const ofKind = (...kinds: string[]) =>
    packages.observed
      .filter(({ row }) => kinds.includes(row.kind))
      .map(
        ({ name, version, range, isDirect }) =>
          `${name} ${version} (${range}${isDirect ? '' : ', of another package'})`,
      );
  return [
    ['application', `${manifest?.name ?? 'without a name'} in ${folder}`],
    ['node', nodeVersion],
    ['channel-exporter', packages.own === undefined ? `${VERSION}, not in its node_modules` : packages.own.version],
    ['system code', settings.config?.syscode ?? 'none that can be used'],
    ['port', port === undefined ? 'not known' : `${port.port}${port.isFree ? ', free' : ', taken'}`],
    ['frameworks', list(ofKind('framework'))],
    ['clients', list(ofKind('message client', 'http client'))],
    ['started by', list(code.preloads.slice(0, SHOWN).map(({ where, text }) => `${where}: ${text}`))],
    ['bundles', list(bundles.map(({ file }) => file))],
    ['processes', `${list(code.models)} (in ${counted(code.files, 'file')}${code.isCut ? ', not all' : ''})`],
  ];
}

function whatWasObserved({ observed, ended, wasKilled }: NonNullable<Facts['run']>): string[][] {
  const list = (items: readonly Counted[], what: string) => {
    const sum = items.reduce((all, { count }) => all + count, 0);
    const shown = items.slice(0, SHOWN).map(({ name, count }) => `${name} ${count}`);
    return items.length === 0 ? `no ${what}` : `${sum}: ${shown.join(', ')}${items.length > SHOWN ? ', …' : ''}`;
  };
  const end = ended === undefined ? (wasKilled ? 'killed, SIGTERM had no effect' : 'by SIGTERM') : 'by itself';
  return [
    ['sources', observed.sources.join(', ') || 'none'],
    ['requests', list(observed.requests, 'request was recorded')],
    ['partner calls', list(observed.partnerCalls, 'call to a partner')],
    ['messages', list(observed.messages, 'message')],
    ['not recorded', list(observed.unrecorded, 'request')],
    ['processes', String(observed.processes)],
    ['ended', end],
  ];
}

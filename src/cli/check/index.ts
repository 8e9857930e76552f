/** `channel-exporter check`: what a start would say of the settings, without starting anything. */
import { textOption } from '../arguments';
import { type Call, EXIT } from '../call';
import { environmentWith } from '../environment';
import { counted, table } from '../terminal';
import { lineOf } from './findings';
import type { InForce } from './in-force';
import { type CheckedSettings, checkSettings, type SettingOptions } from './settings';

export async function runCheck(call: Call): Promise<number> {
  const { options, output } = call;
  const env = environmentWith(textOption(call, 'env-from'), call.env);
  const checked = checkSettings(settingOptions(call), env);
  const { problems, warnings, inForce } = checked;
  const isGood = problems.length === 0 && (options.strict !== true || warnings.length === 0);
  if (options.json === true) {
    output.json({ ok: isGood, problems, warnings, ...(options.print === true && { settings: inForce }) });
  } else {
    show(call, checked);
  }
  return isGood ? EXIT.good : EXIT.found;
}

const FILES = ['partners', 'callers', 'paths'] as const satisfies readonly (keyof SettingOptions)[];

/** The options of the command that stand for settings. */
export function settingOptions(call: Call): SettingOptions {
  const given = FILES.map((name) => [name, textOption(call, name)] as const);
  return Object.fromEntries(given.filter(([, file]) => file !== undefined));
}

function show({ options, output }: Call, { problems, warnings, inForce, config }: CheckedSettings): void {
  for (const problem of problems) output.line(lineOf(problem), 'bad');
  for (const warning of warnings) output.line(lineOf(warning), 'warn');
  if (problems.length + warnings.length > 0) output.line();
  const summary = `${counted(problems.length, 'problem')}, ${counted(warnings.length, 'warning')}`;
  if (config === undefined) output.line(`${summary}: nothing would be measured`, 'bad');
  else output.line(`${summary}: ${config.syscode}, partner hosts: ${config.partnerHosts.length}`, 'good');
  if (options.print !== true) return;
  output.line();
  const rows = inForce.map((each) => [each.name, each.value, originText(each)]);
  for (const line of table([['setting', 'value', 'from'], ...rows])) output.line(line);
}

function originText({ name, from, isFaulty }: InForce): string {
  const origin = from.name === '' || from.name === name ? from.kind : `${from.kind} ${from.name}`;
  return isFaulty ? `${origin}, cannot be used` : origin;
}

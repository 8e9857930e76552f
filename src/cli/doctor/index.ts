/** `channel-exporter doctor`: mistakes that lose measurements, in a folder and an environment, or in a run. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { textOption, UsageError, wholeOption } from '../arguments';
import { type Call, EXIT } from '../call';
import { settingOptions } from '../check';
import { checkSettings, type SettingOptions } from '../check/settings';
import { environmentWith } from '../environment';
import { type Facts, gatherFacts } from './facts';
import { observedIn } from './observed';
import { OUT_OF_REACH, PITFALLS } from './pitfalls';
import { type NamedFound, showReport } from './report';
import { runApplication } from './run';
import { RUN_PITFALLS } from './run-pitfalls';

export async function runDoctor(call: Call): Promise<number> {
  const { options, output, command } = call;
  const folder = resolve(textOption(call, 'folder') ?? '.');
  if (!isFolder(folder)) throw new UsageError(`--folder is no folder; got ${folder}.`);
  const seconds = wholeOption(call, 'seconds', [1, 3600], 10);
  if (command.length === 0 && (options.seconds !== undefined || options.quiet !== undefined)) {
    throw new UsageError('--seconds and --quiet are for a command, which stands after --.');
  }
  // paths of options are relative to where the command was given, those in the settings to where the application starts
  const env = environmentWith(textOption(call, 'env-from'), call.env);
  const own = absolute(settingOptions(call));
  process.chdir(folder);
  const gathered = await gatherFacts(folder, env, command, checkSettings(own, env));
  const facts: Facts = {
    ...gathered,
    run: command.length === 0 ? undefined : await run(call, folder, { ...env, ...variables(own) }, seconds),
  };
  const found = [...PITFALLS, ...RUN_PITFALLS].flatMap((pitfall): NamedFound[] =>
    pitfall.look(facts).map((each) => ({ ...each, name: pitfall.name })),
  );
  const isGood = found.every(({ isLoss }) => !isLoss);
  if (options.json === true) output.json(jsonOf(facts, found, isGood));
  else showReport(output, facts, found, OUT_OF_REACH);
  return isGood ? EXIT.good : EXIT.found;
}

function absolute(options: SettingOptions): SettingOptions {
  return Object.fromEntries(Object.entries(options).map(([name, file]) => [name, resolve(file)]));
}

/** The options as a program would be given them. */
function variables({ partners, callers, paths }: SettingOptions): NodeJS.ProcessEnv {
  return {
    ...(partners !== undefined && { CHANNEL_EXPORTER_PARTNERS: partners }),
    ...(callers !== undefined && { CHANNEL_EXPORTER_CALLERS: callers }),
    ...(paths !== undefined && { CHANNEL_EXPORTER_PATHS: paths }),
  };
}

async function run(call: Call, folder: string, env: NodeJS.ProcessEnv, seconds: number): Promise<Facts['run']> {
  const onOutput = (bytes: Buffer) => {
    if (call.options.quiet !== true) process.stderr.write(bytes);
  };
  const facts = await runApplication({ command: call.command, folder, env, seconds, onOutput });
  return { ...facts, observed: observedIn(facts, facts.families !== undefined) };
}

function jsonOf(facts: Facts, found: readonly NamedFound[], isGood: boolean): unknown {
  const { folder, nodeVersion, packages, code, bundles, port, sameSyscode, run } = facts;
  const observed = run && { ...run.observed, seconds: run.seconds, ended: run.ended, wasKilled: run.wasKilled };
  const { observed: supported, ...others } = packages;
  return {
    ok: isGood,
    found,
    outOfReach: OUT_OF_REACH,
    application: { folder, node: nodeVersion, packages: supported, ...others, code, bundles, port, sameSyscode },
    ...(observed && { observed }),
  };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

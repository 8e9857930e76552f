/** Everything that the doctor knows of an application before it judges. */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { CheckedSettings } from '../check/settings';
import { type BundledProgram, findBundles } from './bundle';
import { type CodeFacts, readCode } from './code';
import type { Observed } from './observed';
import { findPackages, type Manifest, type Packages, readManifest } from './packages';
import { lookAtPort, type PortFacts } from './port';
import { type OtherProcess, processesWith } from './processes';
import type { RunFacts } from './run';

export interface Facts {
  /** Absolute. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly command: readonly string[];
  readonly nodeVersion: string;
  readonly manifest: Manifest | undefined;
  readonly settings: CheckedSettings;
  readonly packages: Packages;
  readonly code: CodeFacts;
  readonly bundles: readonly BundledProgram[];
  /** Undefined where the settings name no port. */
  readonly port: PortFacts | undefined;
  /** Programs of other folders that run with the same system code. */
  readonly sameSyscode: readonly OtherProcess[];
  /** Undefined without a command. */
  readonly run: (RunFacts & { readonly observed: Observed }) | undefined;
}

export async function gatherFacts(
  folder: string,
  env: NodeJS.ProcessEnv,
  command: readonly string[],
  settings: CheckedSettings,
): Promise<Omit<Facts, 'run'>> {
  const manifest = readManifest(folder);
  const { config } = settings;
  return {
    folder,
    env,
    command,
    nodeVersion: process.versions.node,
    manifest,
    settings,
    packages: findPackages(folder, manifest),
    code: readCode(folder, manifest, env, command),
    bundles: findBundles(folder, manifest, command),
    port: config === undefined ? undefined : await lookAtPort(config.port, config.host),
    sameSyscode: config === undefined ? [] : processesWith(config.syscode).filter((each) => isElsewhere(each, folder)),
  };
}

/** Whether a process surely belongs to another application: to what is below another package.json. */
export function isElsewhere({ folder: other }: OtherProcess, folder: string): boolean {
  if (other === undefined) return false;
  const [here, there] = [applicationOf(folder), applicationOf(other)];
  return here !== undefined && there !== undefined && here !== there;
}

function applicationOf(folder: string): string | undefined {
  let at: string;
  try {
    at = realpathSync(resolve(folder));
  } catch {
    return undefined;
  }
  while (!existsSync(join(at, 'package.json'))) {
    if (dirname(at) === at) return undefined;
    at = dirname(at);
  }
  return at;
}

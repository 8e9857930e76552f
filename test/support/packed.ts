/** Packs the project and installs the tarball into application folders of their own, as a user would. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { nodeBinary } from './app';
import { ROOT } from './paths';

const run = promisify(execFile);
const INSTALL_LIMIT_MS = 180_000;
/** First version that the 3.x line of OpenTelemetry runs on. */
const NEWEST_LINE_NEEDS = [22, 15] as const;
/** What stands in for an older Node: the runtime as a package, of the platform that runs the tests. */
const NEWER_NODE = { package: `node-${process.platform}-${process.arch}`, version: '22.23.3' };

export interface Workshop {
  /** A folder that is not below the project, so that nothing resolves into it. */
  readonly folder: string;
  readonly tarball: string;
  /** Installs the tarball and the given packages, name to version, into a new application folder. */
  install(name: string, packages?: Readonly<Record<string, string>>, npmFlags?: readonly string[]): Promise<string>;
  /** The node under test, or where that is too old for the 3.x line of OpenTelemetry, one that is not. */
  newerNode(): Promise<string>;
  remove(): void;
}

/** The built project as a tarball; it is built already, and building again would pull dist from under other tests. */
export async function openWorkshop(): Promise<Workshop> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'channel-exporter-packed-')));
  const { stdout } = await run(
    'npm',
    ['pack', '--json', '--silent', '--ignore-scripts', '--pack-destination', folder],
    {
      cwd: ROOT,
    },
  );
  const [packed] = JSON.parse(stdout) as [{ filename: string }];
  const tarball = join(folder, packed.filename);
  const application = async (
    name: string,
    dependencies: Readonly<Record<string, string>>,
    npmFlags: readonly string[],
  ) => {
    const target = join(folder, name);
    mkdirSync(target);
    writeFileSync(join(target, 'package.json'), JSON.stringify({ name, private: true, dependencies }));
    const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--no-package-lock', ...npmFlags];
    await run('npm', ['install', ...flags], { cwd: target, timeout: INSTALL_LIMIT_MS });
    return target;
  };
  const findNewerNode = async () => {
    const { stdout: version } = await run(nodeBinary(), ['-p', 'process.versions.node']);
    const [major = 0, minor = 0] = version.split('.').map(Number);
    const [wantedMajor, wantedMinor] = NEWEST_LINE_NEEDS;
    if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return nodeBinary();
    const target = await application('newer-node', { [NEWER_NODE.package]: NEWER_NODE.version }, []);
    return join(target, 'node_modules', NEWER_NODE.package, 'bin/node');
  };
  let newer: Promise<string> | undefined;
  return {
    folder,
    tarball,
    install: (name, packages = {}, npmFlags = []) =>
      application(name, { 'channel-exporter': `file:${tarball}`, ...packages }, npmFlags),
    newerNode() {
      newer ??= findNewerNode();
      return newer;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Copies fixture programs into an application folder, so that they resolve what is installed there. */
export function copyPrograms(from: string, application: string): void {
  cpSync(from, application, { recursive: true });
}

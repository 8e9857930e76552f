/** Packages that an application has in its node_modules. */
import { dirname, join, resolve } from 'node:path';
import { readText } from '../../files/read-text';
import { isSupported, rangeText, SUPPORTED, type SupportedPackage, UNOBSERVED } from './supported';

export interface InstalledPackage {
  /** Of the package itself, also where it is installed under another one. */
  readonly name: string;
  readonly version: string;
  /** Whether the application itself names it among its dependencies. */
  readonly isDirect: boolean;
}

/** One that is observed in some versions. */
export interface ObservedPackage extends InstalledPackage {
  readonly row: SupportedPackage;
  readonly isSupported: boolean;
  readonly range: string;
}

/** What an application's package.json says, as far as it is used here. */
export interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly main?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Packages {
  readonly observed: readonly ObservedPackage[];
  readonly unobserved: readonly InstalledPackage[];
  /** Libraries of metrics that have a registry of their own. */
  readonly registries: readonly InstalledPackage[];
  /** The copy of this package that the application loads. */
  readonly own: InstalledPackage | undefined;
  readonly otlpExporter: InstalledPackage | undefined;
}

const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_DEPENDENCIES = 2_000;
const REGISTRIES = ['prom-client', '@prometheus-io/client'];
const OTLP_EXPORTER = '@opentelemetry/exporter-metrics-otlp-proto';

/** @returns undefined where there is none, or it is no object */
export function readManifest(folder: string): Manifest | undefined {
  try {
    const value: unknown = JSON.parse(readText(join(folder, 'package.json'), MAX_MANIFEST_BYTES));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Manifest) : undefined;
  } catch {
    return undefined;
  }
}

/** @param folder of the application */
export function findPackages(folder: string, manifest: Manifest | undefined): Packages {
  const direct = Object.keys({ ...manifest?.dependencies, ...manifest?.optionalDependencies }).slice(
    0,
    MAX_DEPENDENCIES,
  );
  const found = new Map<string, InstalledPackage>();
  const add = (installedAs: string, isDirect: boolean) => {
    const installed = findPackage(folder, installedAs);
    if (installed === undefined) return;
    const key = `${installed.name} ${installed.version}`;
    if (!found.has(key)) found.set(key, { ...installed, isDirect });
  };
  for (const name of direct) add(name, true);
  const known = [...SUPPORTED.map(({ name }) => name), ...REGISTRIES, OTLP_EXPORTER, 'channel-exporter'];
  for (const name of known) add(name, false);
  const all = [...found.values()];
  const one = (name: string) => all.find((each) => each.name === name);
  return {
    observed: all.flatMap((each) => {
      const row = SUPPORTED.find(({ name }) => name === each.name);
      if (row === undefined) return [];
      return [{ ...each, row, isSupported: isSupported(row, each.version), range: rangeText(row) }];
    }),
    unobserved: all.filter(({ name, isDirect }) => isDirect && Object.hasOwn(UNOBSERVED, name)),
    registries: all.filter(({ name }) => REGISTRIES.includes(name)),
    own: one('channel-exporter'),
    otlpExporter: one(OTLP_EXPORTER),
  };
}

/** As Node looks for it: in the folder's node_modules, and in those above. */
function findPackage(folder: string, name: string): Omit<InstalledPackage, 'isDirect'> | undefined {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const manifest = readManifest(join(at, 'node_modules', name));
    if (manifest !== undefined) return { name: String(manifest.name ?? name), version: String(manifest.version ?? '') };
    if (dirname(at) === at) return undefined;
  }
}

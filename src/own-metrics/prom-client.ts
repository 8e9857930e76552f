/**
 * What the application has registered in prom-client (or @prometheus-io/client, its successor) on the same scrape: the
 * text of the default registry of every copy that is loaded, family by family after ours.
 */
import type { MetricData } from '@opentelemetry/sdk-metrics';
import { warn } from '../diagnostics/log';
import { reportClash } from '../diagnostics/name-clash';
import { onFileLoaded } from '../instrumentations/patching/module-load';
import { within } from '../runtime/time-limit';
import { sampleNames } from '../views/prometheus-names';
import { RUNTIME_FAMILIES } from '../views/runtime-families';
import { DataPointType } from '../views/sdk-constants';
import { type ForeignFamily, foreignFamilies } from './foreign-text';
import { OBSERVE_LIMIT_MS } from './observation';

interface Registry {
  getMetricsAsArray?(): readonly unknown[];
  metrics(): string | Promise<string>;
}

/** Packages to the file that each loads first. */
const PACKAGES = { 'prom-client': '/prom-client/index.js', '@prometheus-io/client': '/@prometheus-io/client/index.js' };

/** Families of our own that say the same as prom-client's default metrics: whoever has both need not mend anything. */
const SAME_BY_DEFAULT: ReadonlySet<string> = new Set(Object.values(RUNTIME_FAMILIES).map(({ name }) => name));

/** What the exporter puts on the scrape after its own families. */
export interface PromClientSource {
  /**
   * Reads the registries; does not reject.
   * @returns writes what was read, without the names that are in `own`
   */
  collect(): Promise<(own: readonly MetricData[]) => string>;
  /** Call where the registries are not on the scrape: logs it once if the application has registered anything. */
  reportUnserved(): void;
  /** Stops looking for copies, and forgets those it has. */
  disable(): void;
}

/** @param failed counts and logs that a registry could not be read */
export function observePromClient(failed: (source: string, error: unknown) => void): PromClientSource {
  const registries = new Map<Registry, string>();
  let hasReported = false;
  const endWatching = Object.entries(PACKAGES).map(([name, file]) =>
    onFileLoaded(file, (exported) => {
      const registry = (exported as { register?: unknown } | null)?.register;
      if (isRegistry(registry)) registries.set(registry, name);
    }),
  );

  const read = async (registry: Registry, name: string): Promise<ForeignFamily[] | undefined> => {
    try {
      const metrics = async () => registry.metrics();
      return foreignFamilies(await within(OBSERVE_LIMIT_MS, metrics()));
    } catch (error) {
      failed(name, error);
      return undefined;
    }
  };

  return {
    async collect() {
      const origins = [...registries.values()];
      const all = await Promise.all(Array.from(registries, ([registry, name]) => read(registry, name)));
      return (own) => {
        const claims = claimsOf(own);
        return all.map((families, index) => textAfter(claims, families, origins[index] as string)).join('');
      };
    },
    reportUnserved() {
      if (hasReported) return;
      const name = [...registries].find(([registry]) => hasMetrics(registry))?.[1];
      if (name === undefined) return;
      hasReported = true;
      const why = 'this process is a member, and only the hub shows its own';
      warn('CHX_OWN_METRICS_FAILED', `member ${name}`, `metrics of the application are missing, from ${name}: ${why}`);
    },
    disable() {
      for (const end of endWatching) end();
      registries.clear();
    },
  };
}

function isRegistry(value: unknown): value is Registry {
  return typeof (value as Registry | undefined)?.metrics === 'function';
}

function hasMetrics(registry: Registry): boolean {
  try {
    return (registry.getMetricsAsArray?.() ?? []).length > 0;
  } catch {
    return false;
  }
}

const OURS = 'a family of channel-exporter or its meters';

/** Sample names to whom they belong. */
function claimsOf(own: readonly MetricData[]): Map<string, string> {
  const claims = new Map<string, string>();
  for (const { descriptor, dataPointType } of own) {
    const type = dataPointType === DataPointType.HISTOGRAM ? 'histogram' : 'gauge';
    for (const name of sampleNames(descriptor.name, type)) claims.set(name, OURS);
  }
  return claims;
}

function textAfter(claims: Map<string, string>, families: ForeignFamily[] | undefined, origin: string): string {
  if (families === undefined) return `# ${origin}: its metrics could not be read and are missing from this scrape\n`;
  const clashes = new Map<string, string[]>();
  let text = '';
  for (const family of families) {
    const taken = family.names.find((name) => claims.has(name));
    if (taken === undefined) {
      for (const name of family.names) claims.set(name, `another copy of ${origin}, or another of its families`);
      text += family.text;
    } else if (!(SAME_BY_DEFAULT.has(family.name) && claims.get(taken) === OURS)) {
      const holder = claims.get(taken) as string;
      clashes.set(holder, [...(clashes.get(holder) ?? []), family.name]);
    }
  }
  for (const [holder, names] of clashes) reportClash(origin, names, holder);
  return text;
}

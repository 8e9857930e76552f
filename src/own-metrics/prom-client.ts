/**
 * What the application has registered in prom-client (or @prometheus-io/client, its successor) on the same scrape: the
 * text of the default registry of every copy that is loaded, family by family after ours.
 */
import type { MetricData } from '@opentelemetry/sdk-metrics';
import { reportClash } from '../diagnostics/name-clash';
import { onFileLoaded } from '../instrumentations/patching/module-load';
import type { Deltas } from '../metrics/deltas';
import { within } from '../runtime/time-limit';
import { sampleNames } from '../views/prometheus-names';
import { RUNTIME_FAMILIES } from '../views/runtime-families';
import { DataPointType } from '../views/sdk-constants';
import { type ForeignFamily, foreignFamilies } from './foreign-text';
import { OBSERVE_LIMIT_MS } from './observation';
import { PromDifferences, type PromSample, promSamples } from './prom-samples';
import type { PromTotals } from './prom-totals';

interface Registry {
  readonly contentType?: unknown;
  getMetricsAsJSON?(): unknown;
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
  /** Of a member: reads what was added since the last time; does not reject. */
  collectDeltas(): Promise<void>;
  /** @returns what was read and is not taken yet */
  takeDeltas(): Deltas;
  /** Stops looking for copies, and forgets those it has. */
  disable(): void;
}

/**
 * @param members what other processes hold, whose hub this one may be
 * @param failed counts and logs that a registry could not be read
 */
export function observePromClient(
  members: PromTotals,
  failed: (source: string, error: unknown) => void,
): PromClientSource {
  const registries = new Map<Registry, string>();
  const differences = new Map<Registry, PromDifferences>();
  let taken: Deltas = [];
  const endWatching = Object.entries(PACKAGES).map(([name, file]) =>
    onFileLoaded(file, (exported) => {
      const registry = (exported as { register?: unknown } | null)?.register;
      if (isRegistry(registry)) registries.set(registry, name);
    }),
  );

  const samplesOf = async (registry: Registry, name: string): Promise<PromSample[]> => {
    const metrics = async () => registry.getMetricsAsJSON?.() ?? [];
    const raw = (await within(OBSERVE_LIMIT_MS, metrics())) as readonly unknown[];
    return promSamples(raw, name, String(registry.contentType).includes('openmetrics'));
  };
  /** @returns what gives the families once the members have handed over; undefined when the registry cannot be read */
  const read = async (registry: Registry, name: string): Promise<(() => ForeignFamily[]) | undefined> => {
    try {
      if (!members.isAlone) {
        const samples = await samplesOf(registry, name);
        return () => members.aggregated(name, samples);
      }
      const metrics = async () => registry.metrics();
      const families = foreignFamilies(await within(OBSERVE_LIMIT_MS, metrics()));
      return () => families;
    } catch (error) {
      failed(name, error);
      return undefined;
    }
  };

  return {
    async collect() {
      const origins = [...registries.values()];
      const all = await Promise.all(Array.from(registries, ([registry, name]) => read(registry, name)));
      // a hub may have loaded no copy, as the primary of a cluster
      for (const name of Object.keys(PACKAGES).filter((each) => !origins.includes(each))) {
        origins.push(name);
        all.push(() => members.aggregated(name, []));
      }
      return (own) => {
        const claims = claimsOf(own);
        return all.map((families, index) => textAfter(claims, families?.(), origins[index] as string)).join('');
      };
    },
    async collectDeltas() {
      const reading = Array.from(registries, async ([registry, name]) => {
        try {
          const samples = await samplesOf(registry, name);
          const difference = differences.get(registry) ?? new PromDifferences();
          differences.set(registry, difference);
          taken = [...taken, ...difference.take(samples)];
        } catch (error) {
          failed(name, error);
        }
      });
      await Promise.all(reading);
    },
    takeDeltas() {
      const deltas = taken;
      taken = [];
      return deltas;
    },
    disable() {
      for (const end of endWatching) end();
      registries.clear();
      differences.clear();
    },
  };
}

function isRegistry(value: unknown): value is Registry {
  return typeof (value as Registry | undefined)?.metrics === 'function';
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

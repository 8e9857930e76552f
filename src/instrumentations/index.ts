/**
 * Every source of measurements. To add one, write its file and add a row.
 *
 * A source is loaded when it is enabled; one for a package that not every service has, when that package is.
 */
import { observes } from '../diagnostics/observed';
import { CONSUMERS } from './consumer-sources';
import { watchWantedEsModules } from './es-modules';
import { FRAMEWORKS } from './framework-sources';
import type { Instrumentation } from './instrumentation';
import type { SourceRow } from './source-row';
import { whenFileLoaded } from './when-file-loaded';

export const SOURCES: readonly SourceRow[] = [
  {
    name: 'http',
    isOfNode: true,
    load: () => (require('./inbound/http1') as typeof import('./inbound/http1')).createInboundInstrumentation,
  },
  {
    name: 'http',
    isOfNode: true,
    load: () => (require('./outbound/http1') as typeof import('./outbound/http1')).createOutboundInstrumentation,
  },
  {
    name: 'undici',
    isOfNode: true,
    load: () => (require('./outbound/undici') as typeof import('./outbound/undici')).createUndiciInstrumentation,
  },
  // node:http2 comes with them: a builtin that an ES module imports passes no hook by which one could wait for it
  {
    name: 'http2',
    isOfNode: true,
    load: () => (require('./inbound/http2') as typeof import('./inbound/http2')).createHttp2InboundInstrumentation,
  },
  {
    name: 'http2',
    isOfNode: true,
    load: () => (require('./outbound/http2') as typeof import('./outbound/http2')).createHttp2OutboundInstrumentation,
  },
  ...FRAMEWORKS,
  ...CONSUMERS,
  {
    name: 'monitor',
    load: () =>
      (require('./functions/monitored-calls') as typeof import('./functions/monitored-calls'))
        .createMonitorInstrumentation,
  },
];

/**
 * The rows that measure something, of those that are switched on: a framework's routes have no use without the
 * requests that they belong to.
 */
export function effectiveSources(isEnabled: (name: string) => boolean): SourceRow[] {
  return SOURCES.filter(({ name, needs }) => isEnabled(name) && (needs === undefined || needs.some(isEnabled)));
}

/** The source of a row, which loads its code now or with its package. */
export function createSource(row: SourceRow): Instrumentation {
  const { name, load, files, esModules, channel, isOfNode } = row;
  if (isOfNode) observes(name);
  if (files === undefined && esModules === undefined && channel === undefined) return load()();
  const rules = new Set(esModules?.map((rule) => rule.name));
  const { ports = [], sharedPorts = [] } = row;
  return whenFileLoaded({ name, files: files ?? [], esModules: [...rules], channel, ports, sharedPorts }, () =>
    load()(),
  );
}

/**
 * Has the loader show the ES modules of these rows' packages from now on, where the application has such packages.
 * @returns a function that ends it
 */
export function watchEsModulesOf(rows: readonly SourceRow[]): () => void {
  return watchWantedEsModules(rows.flatMap(({ esModules }) => esModules ?? []));
}

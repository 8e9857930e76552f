/**
 * Reports calls that meet no entry of the partner directory: a port that an entry lacks as a warning, everything else
 * at the debug level alone. Each host and path once, up to a bound.
 */
import { isLogged, logLine, warn } from '../diagnostics/log';
import { show } from '../errors';

/** Texts remembered; what comes after is not reported. */
const MAX_REPORTED = 50;

export interface PartnerMisses {
  /** A host that has no entry; absent unless it is logged, because every call to such a host would ask. */
  readonly host?: (hostname: string) => void;
  /** A path of a partner that has no action code; absent unless it is logged. */
  readonly path?: (hostname: string, path: string) => void;
  /**
   * A host that has entries, called on a port that none of them has.
   * @param port undefined: the default of the protocol
   * @param hasDefault whether an entry has no port, and so stands for the default one
   */
  port(hostname: string, port: number | undefined, hasDefault: boolean): void;
}

/** The level of the log is read here, once. */
export function createPartnerMisses(): PartnerMisses {
  const isDebugging = isLogged('debug');
  const reported = new Set<string>();
  const isFirst = (key: string) => {
    if (reported.has(key) || reported.size >= MAX_REPORTED) return false;
    reported.add(key);
    return true;
  };
  const debug = (what: string) => {
    if (isFirst(what)) logLine('debug', what);
  };
  return {
    ...(isDebugging && {
      host: (hostname) => debug(`calls to ${show(hostname)} are not recorded: no partner entry has this host`),
      path: (hostname, path) =>
        debug(`calls to ${show(path)} of ${show(hostname)} have no action code: its partner entry has no such path`),
    }),
    port(hostname, port, hasDefault) {
      // every call to another service of the host comes here
      if (!hasDefault && !isDebugging) return;
      const host = port === undefined ? hostname : `${hostname}:${port}`;
      if (!hasDefault) {
        debug(`calls to ${show(host)} are not recorded: the partner entries of this host have other ports`);
      } else if (isFirst(host)) {
        const why = `the partner entry ${hostname} stands for the default port of http or https alone`;
        warn('CHX_PARTNER_PORT', host, `calls to ${host} are not recorded: ${why}. Add an entry or alias "${host}".`);
      }
    },
  };
}

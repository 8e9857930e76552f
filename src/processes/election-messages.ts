/** Logs once why a process has neither the port nor a hub, and what to do about it. */
import { warn } from '../diagnostics/log';
import { VERSION } from '../version';
import type { Address } from './hub-socket';
import { WELCOME_LIMIT_MS } from './member';
import { findPortHolder } from './port-holder';
import { PROTOCOL_VERSION, type Refused } from './protocol';

/** Pause after which the port is tried again. */
const RETRY_MS = 5_000;
/** The same after a hub has refused this process. */
const RETRY_REFUSED_MS = 60_000;

/** Why an attempt to become hub or member failed. */
export type Fault = Refused | 'silent' | 'application' | OtherListens | NodeJS.ErrnoException;

/** A server of another process of the service, or of a thread of this one, wants the port. */
export interface OtherListens {
  readonly listeningPid: number;
}

export interface Candidate {
  readonly syscode: string;
  readonly address: Address;
  /** Path of the scrape on the application's own servers; undefined where they do not serve it. */
  readonly applicationPath: string | undefined;
}

/** @returns the pause after which the port is tried again */
export function retryMs(fault: Fault): number {
  return typeof fault === 'object' && 'reason' in fault ? RETRY_REFUSED_MS : RETRY_MS;
}

/** Until it is cleared, logs the first fault alone, and each new one of the web configuration. */
export class FaultLog {
  private isLogged = false;
  /** What was last said to be wrong with the web configuration. */
  private refusal = '';

  constructor(private readonly candidate: Candidate & { readonly isThread: boolean }) {}

  get hasLogged(): boolean {
    return this.isLogged;
  }

  add(fault: Fault, wasMember: boolean): void {
    // the hub of a cluster is its primary, which has let go of the port for this worker and has logged it
    const isKnown = this.isLogged || (fault === 'application' && wasMember);
    const refusal = isWebConfig(fault) ? (fault as Error).message : this.refusal;
    if ((!isKnown || refusal !== this.refusal) && !this.candidate.isThread) logFault(fault, this.candidate);
    this.refusal = refusal;
    this.isLogged = true;
  }

  /** Another process has logged it. */
  knownElsewhere(): void {
    this.isLogged = true;
  }

  clear(): void {
    this.isLogged = false;
  }
}

function logFault(fault: Fault, { syscode, address, applicationPath }: Candidate): void {
  const { port, host } = address;
  const where = host === undefined ? `port ${port}` : `${host}, port ${port}`;
  const until = 'until then nothing can be scraped here';
  const again = `It is tried again every ${RETRY_MS / 1000} s; ${until}`;
  const another = 'Set CHANNEL_EXPORTER_PORT to another one, 0 for any.';
  const holder = fault === 'silent' || isAddressInUse(fault) ? findPortHolder(port) : undefined;
  const isOfThis = fault === 'application' || (isAddressInUse(fault) && holder?.pid === process.pid);
  if (isOfThis || (typeof fault === 'object' && 'listeningPid' in fault)) {
    const onApplication =
      applicationPath === undefined
        ? "or CHANNEL_EXPORTER_APP_METRICS=1 to answer /metrics on the application's own port"
        : `or scrape ${applicationPath} on the application's own port`;
    const pid = typeof fault === 'object' && 'listeningPid' in fault ? fault.listeningPid : process.pid;
    const whose = pid === process.pid ? 'this very process' : 'another process of the service';
    const won = `a server of ${whose} (pid ${pid}) listens on ${where}, so the scrape is not served there`;
    warn('CHX_PORT_OF_APPLICATION', where, `${won}. Set CHANNEL_EXPORTER_PORT to another one, ${onApplication}.`);
  } else if (fault === 'silent') {
    const silence = `the hub's socket has not answered within ${WELCOME_LIMIT_MS / 1000} s`;
    warn(
      'CHX_HUB_SILENT',
      where,
      `${where} is taken by ${holder?.description ?? 'another program'}, and ${silence}. ${again}.`,
    );
  } else if ('reason' in fault) {
    const hub = `the hub of ${fault.syscode} (pid ${fault.pid})`;
    const later = `It is asked again every ${RETRY_REFUSED_MS / 1000} s; ${until}.`;
    if (fault.reason === 'syscode') {
      warn(
        'CHX_SYSCODE_OTHER',
        where,
        `${where} is that of ${hub}, this process is of ${syscode}. ${later} ${another}`,
      );
    } else {
      const why = fault.reason === 'version' ? otherProtocol(fault) : 'has all the members it takes';
      warn('CHX_HUB_REFUSED', where, `${where}: ${hub} ${why}. ${later}`);
    }
  } else if (isAddressInUse(fault)) {
    const by = holder?.description ?? 'another program';
    warn('CHX_PORT_TAKEN', where, `${where} is taken by ${by}. ${again}. ${another}`);
  } else if (isWebConfig(fault)) {
    const closed = `${where} stays closed, because the web configuration cannot be used`;
    // what is wrong with the next version is another cause
    warn(
      'CHX_WEB_CONFIG_REFUSED',
      fault.message,
      `${closed}. It is read again every ${RETRY_MS / 1000} s; ${until}:\n${fault.message}`,
    );
  } else {
    warn('CHX_PORT_REFUSED', where, `cannot listen on ${where}: ${fault.message}. ${again}.`);
  }
}

export function isAddressInUse(fault: Fault): boolean {
  return typeof fault === 'object' && 'code' in fault && fault.code === 'EADDRINUSE';
}

/** Whether this process may not open the port, which another one of the service may have. */
export function isWebConfig(fault: Fault): boolean {
  return typeof fault === 'object' && 'code' in fault && fault.code === 'CHX_WEB_CONFIG_REFUSED';
}

/** The protocol is compared and not the version of the package: versions of the package that speak the same one join. */
function otherProtocol({ version, release }: Refused): string {
  const theirs = version === undefined ? 'another protocol' : `protocol ${version}`;
  const of = release === undefined ? '' : ` (channel-exporter ${release})`;
  const own = `protocol ${PROTOCOL_VERSION} (channel-exporter ${VERSION})`;
  const together = 'versions with the same one go together (docs/processes.md)';
  return `speaks ${theirs} between processes${of}, this process ${own}; ${together}: restart both with one version`;
}

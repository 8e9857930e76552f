/** Notices members that belong to another program than the hub: most likely one system code was given to two services. */
import { warn } from '../diagnostics/log';
import { printable } from '../runtime/printable';
import { isSameProgram, ownProgram } from './program';
import type { Hello } from './protocol';

/** Programs that are reported at most. */
const MAX_REPORTED = 10;

export class SharedSyscode {
  private readonly reported = new Set<string>();

  /**
   * A parent and its children may be different programs and are one service, so members related to a process of this
   * service are left out. Each program is reported once.
   * @param pids processes of this service that are connected
   */
  check({ program, pid, parent, isThread, syscode }: Hello, pids: readonly number[]): void {
    const own = ownProgram();
    if (isThread || own === undefined || program === undefined || parent === undefined) return;
    if (isSameProgram(program, own)) return;
    if (pid === process.ppid || parent === process.pid || pids.includes(parent)) return;
    if (this.reported.has(program) || this.reported.size >= MAX_REPORTED) return;
    this.reported.add(program);
    const [here, there] = [`${own} (pid ${process.pid})`, `${printable(program)} (pid ${pid})`];
    const text = `${syscode} is the system code of two programs, ${here} and ${there}: one scrape adds up both.`;
    warn('CHX_SYSCODE_SHARED', program, `${text} If they are two services, give each its own SYSCODE and port.`);
  }
}

/** Whether the port of the scrape is free, and who has it. */
import { createServer } from 'node:net';
import { download } from '../scrape/download';
import { ScrapeReader } from '../scrape/families';
import { listenerOf, type OtherProcess } from './processes';

export interface PortFacts {
  /** 0: any free one would be taken. */
  readonly port: number;
  readonly isFree: boolean;
  /** Why it cannot be had: `EADDRINUSE`, `EACCES`. */
  readonly error?: string;
  readonly holder?: OtherProcess;
  /** System code of the exporter that answers there. */
  readonly application?: string;
}

const ANSWER_LIMIT_MS = 2_000;

/** Listens for a moment. @param host undefined: all interfaces */
export async function lookAtPort(port: number, host: string | undefined): Promise<PortFacts> {
  if (port === 0) return { port, isFree: true };
  const error = await bindError(port, host);
  if (error === undefined) return { port, isFree: true };
  if (error !== 'EADDRINUSE') return { port, isFree: false, error };
  const holder = listenerOf(port);
  const application = await applicationAt(port, host);
  return { port, isFree: false, error, ...(holder && { holder }), ...(application !== undefined && { application }) };
}

/** @returns a port that was free a moment ago */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

function bindError(port: number, host: string | undefined): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, exclusive: true, ...(host !== undefined && { host }) }, () =>
      server.close(() => resolve(undefined)),
    );
  });
}

async function applicationAt(port: number, host: string = 'localhost'): Promise<string | undefined> {
  const reader = new ScrapeReader();
  try {
    const name = host.includes(':') ? `[${host}]` : host;
    const url = new URL(`http://${name}:${port}/metrics`);
    await download(url, { timeoutMs: ANSWER_LIMIT_MS, onLine: reader.line });
  } catch {
    return undefined;
  }
  const info = reader.families.find(({ name }) => name === 'channel_exporter_info');
  const [series] = info?.series.values() ?? [];
  return series?.labels.application;
}

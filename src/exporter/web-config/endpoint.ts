/**
 * The web configuration in force at the port of the scrape, reread when it or a file that it names changes. Without a
 * good one the port stays closed; a faulty new version is reported, and the last good one stays.
 */
import { statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { join, resolve } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { errorText, logLine } from '../../diagnostics/log';
import { type FileKind, rereadFile } from '../../files/reread';
import { watchPath } from '../../files/watch';
import { Allowance } from '../http/allowance';
import { replyOver, replyText } from '../http/answer';
import type { Arriving } from '../http/connections';
import type { LoadedWebConfig } from './check';
import { readWebConfig, readWebConfigFile } from './file';
import { TlsDoor } from './tls-door';
import { Users, type Verdict } from './users';
import { NO_WEB_CONFIG, type WebConfig } from './web-config';

/** A faulty file is read again so often: what it names may have been mended. */
const FAULTY_AGAIN_MS = 10_000;
/** Said to whoever is to come later. */
const RETRY_SECONDS = '10';

const WEB_CONFIG_FILE: FileKind<LoadedWebConfig, { loaded: LoadedWebConfig }> = {
  thread: join(__dirname, 'reading-thread.js'),
  read: readWebConfig,
  draft: () => ({ loaded: { config: NO_WEB_CONFIG, problems: [], files: [] } }),
  add(draft, loaded) {
    draft.loaded = loaded;
  },
};

export class WebEndpoint {
  private readonly file: string;
  private readonly door: TlsDoor;
  private readonly users = new Users();
  /** Undefined until there was a good one. */
  private config: WebConfig | undefined;
  private rate: Allowance | undefined;
  private endReading: () => void = () => undefined;
  private endWatch: (() => void) | undefined;
  private again: NodeJS.Timeout | undefined;
  private reported = '';

  /**
   * @param file as the settings name it
   * @param counted where connections are counted that are not served yet
   * @param serve takes connections that have shaken hands
   */
  constructor(file: string, counted: Arriving, serve: (socket: TLSSocket) => void) {
    // the application may change its working directory later
    this.file = resolve(file);
    this.door = new TlsDoor(counted, serve);
  }

  get isTls(): boolean {
    return this.door.isTls;
  }

  /** Reads the file, before the port is opened. @returns why the port has to stay closed */
  open(): NodeJS.ErrnoException | undefined {
    const loaded = readWebConfigFile(this.file);
    const problems = loaded.problems.map(({ message }) => message);
    if (problems.length === 0) this.use(loaded, problems);
    // the process has let go of the port meanwhile, and has it again
    else if (this.config !== undefined) this.faulty(problems);
    if (this.config !== undefined) return undefined;
    return Object.assign(new Error(problems.join('\n')), { code: 'CHX_WEB_CONFIG_REFUSED' });
  }

  /** The port is closed; the configuration is not looked after until it is opened again. */
  close(): void {
    this.endWatch?.();
    this.endWatch = undefined;
    this.endReading();
    clearInterval(this.again);
    this.again = undefined;
    this.door.close();
    this.users.end();
  }

  /** @returns whether it takes a connection, to shake hands; otherwise it is served as it is */
  takes(socket: Socket): boolean {
    return this.door.takes(socket);
  }

  /** Answers a request that is not to be served, and calls `serve` for any other. Does not throw. */
  admit(request: IncomingMessage, response: ServerResponse, serve: () => void): void {
    if (this.rate?.take() === false) {
      refuse(response, 'limited');
      return;
    }
    for (const [name, value] of Object.entries(this.config?.headers ?? {})) response.setHeader(name, value);
    if (!this.users.areWanted) {
      serve();
      return;
    }
    const { headers, socket } = request;
    const verdict = this.users.check(headers.authorization, socket.remoteAddress ?? '');
    if (verdict === 'right') serve();
    else if (typeof verdict === 'string') refuse(response, verdict);
    else void verdict.then((late) => (late === 'right' ? serve() : refuse(response, late)));
  }

  private use({ config, files }: LoadedWebConfig, problems: string[]): void {
    try {
      this.door.use(config.tls);
    } catch (error) {
      problems.push(errorText(error));
      return;
    }
    this.config = config;
    this.users.use(config.users);
    const { rateLimit } = config;
    this.rate = rateLimit && new Allowance(rateLimit.burst, rateLimit.perSecond);
    clearInterval(this.again);
    this.again = undefined;
    this.reported = '';
    this.watch(files);
  }

  private watch(files: readonly string[]): void {
    this.endWatch?.();
    const ends = [...new Set([this.file, ...files])].map((path) => watchPath(path, () => this.reread()));
    this.endWatch = () => {
      for (const end of ends) end();
    };
  }

  private reread(): void {
    // of a version that is out of date by now
    this.endReading();
    this.endReading = rereadFile(this.file, sizeOf(this.file), WEB_CONFIG_FILE, {
      loaded: ({ loaded }) => {
        const problems: string[] = [];
        this.use(loaded, problems);
        if (problems.length > 0) this.faulty(problems);
        else logLine('info', `${this.file} has been read again: ${said(loaded.config)}`);
      },
      faulty: (problems) => this.faulty(problems),
    });
  }

  private faulty(problems: readonly string[]): void {
    const text = problems.join('\n');
    this.again ??= setInterval(() => this.reread(), FAULTY_AGAIN_MS).unref();
    if (text === this.reported) return;
    this.reported = text;
    logLine(
      'warn',
      `CHX_WEB_CONFIG_RELOAD: the new version of ${this.file} is not used; the last good one stays:\n${text}`,
    );
  }
}

function refuse(response: ServerResponse, verdict: Exclude<Verdict, 'right'>): void {
  const reply = replyOver(response);
  if (verdict === 'wrong') {
    replyText(reply, 401, 'Unauthorized', { 'WWW-Authenticate': 'Basic realm="metrics", charset="UTF-8"' });
  } else if (verdict === 'limited') replyText(reply, 429, 'Too Many Requests', { 'Retry-After': RETRY_SECONDS });
  else replyText(reply, 503, 'Service Unavailable', { 'Retry-After': RETRY_SECONDS });
}

function said({ tls, users }: WebConfig): string {
  return `${tls === undefined ? 'plain HTTP' : 'TLS'}, ${users.length === 0 ? 'no users' : `users: ${users.length}`}`;
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0; // what is wrong with it is found when it is read
  }
}

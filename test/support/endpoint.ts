/** Programs whose port of the scrape has a web configuration, with certificates for both ends. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { type App, runApp } from './app';
import { type Authority, createAuthority, type Pair } from './certificates';
import { type Answer, type Asked, ask } from './https';
import { until } from './waiting';

const HELLO = 'test/fixtures/apps/hello.js';
/** Cheap, so that tests are short. */
const COST = 4;

export const SERVER_NAMES = 'DNS:localhost,IP:127.0.0.1';
export const TLS = 'tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n';
export const MUTUAL = `${TLS}  client_ca_file: authority.crt\n  client_auth_type: RequireAndVerifyClientCert\n`;
export const ALICE = `basic_auth_users:\n${user('alice', 'secret')}`;

/** A line of `basic_auth_users`. */
export function user(name: string, password: string, cost = COST): string {
  return `  ${name}: ${hashSync(password, cost)}\n`;
}

export interface Endpoint {
  readonly folder: string;
  readonly authority: Authority;
  readonly client: Pair;
  readonly server: Pair;
  /** Path of the web configuration of the program that was started last. */
  file(): string;
  /** Replaces it in one step, as one should. */
  put(text: string): void;
  /** Starts a program with a web configuration of its own. */
  run(text: string, env?: Readonly<Record<string, string>>, script?: string): Promise<App>;
  /** By TLS, with the authority. */
  scrape(app: App, asked?: Asked): Promise<Answer>;
  /** Ends the programs. */
  stop(): Promise<void>;
  end(): Promise<void>;
}

export async function openEndpoint(): Promise<Endpoint> {
  const folder = mkdtempSync(join(tmpdir(), 'chx-web-'));
  const authority = await createAuthority(folder);
  const server = authority.sign('server', SERVER_NAMES);
  const client = authority.sign('client', 'DNS:prometheus.example.com,URI:spiffe://example.com/p,IP:::1');
  const apps: App[] = [];
  let files = 0;
  const file = () => join(folder, `web-${files}.yaml`);
  const put = (text: string) => {
    writeFileSync(`${file()}.next`, text);
    renameSync(`${file()}.next`, file());
  };
  const stop = async () => {
    for (const app of apps.splice(0)) await app.stop();
  };
  return {
    folder,
    authority,
    client,
    server,
    file,
    put,
    async run(text, env = {}, script = HELLO) {
      files++;
      put(text);
      const app = await runApp(script, { env: { CHANNEL_EXPORTER_WEB_CONFIG_FILE: file(), ...env } });
      apps.push(app);
      return app;
    },
    scrape: (app, asked = {}) => ask(portOf(app), { ca: authority.file, ...asked }),
    stop,
    async end() {
      await stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Of the scrape. */
export function portOf(app: App): number {
  return Number(new URL(app.metricsUrl).port);
}

/** @returns `closed` for no answer */
export function statusOf(asked: Promise<Answer>): Promise<number | 'closed'> {
  return asked.then(
    ({ status }) => status,
    () => 'closed' as const,
  );
}

export function isSaid(app: App, text: RegExp): Promise<void> {
  return until(() => text.test(app.stderr()), app.stderr);
}

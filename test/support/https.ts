/** Asks a port by HTTP or HTTPS, one connection for each request. */
import { readFileSync } from 'node:fs';
import { request as requestHttp } from 'node:http';
import { type RequestOptions, request as requestHttps } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Pair } from './certificates';

export interface Asked {
  readonly path?: string;
  readonly method?: string;
  /** Name and password, with a colon between. */
  readonly auth?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** File of the authority that has signed the server's certificate; undefined: plain HTTP. */
  readonly ca?: string | undefined;
  /** The client's own certificate. */
  readonly client?: Pair;
  /** Further options of TLS. */
  readonly tls?: RequestOptions;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** Of the server's certificate. */
  readonly fingerprint: string | undefined;
  /** Of TLS, such as `TLSv1.3`. */
  readonly protocol: string | null | undefined;
}

/** Rejects when the connection ends without an answer. */
export function ask(port: number, { ca, client, path = '/metrics', tls, ...asked }: Asked = {}): Promise<Answer> {
  const options: RequestOptions = { host: '127.0.0.1', port, path, agent: false, ...asked };
  if (ca !== undefined) Object.assign(options, { ca: readFileSync(ca), servername: 'localhost', ...tls });
  if (client !== undefined) Object.assign(options, { cert: readFileSync(client.cert), key: readFileSync(client.key) });
  return new Promise((resolve, reject) => {
    const request = (ca === undefined ? requestHttp : requestHttps)(options, (response) => {
      const socket = response.socket as TLSSocket;
      const fingerprint = ca === undefined ? undefined : socket.getPeerCertificate().fingerprint256;
      const protocol = ca === undefined ? undefined : socket.getProtocol();
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, fingerprint, protocol }),
      );
      response.on('error', reject);
    });
    request.on('error', reject).end();
  });
}

/**
 * What a web configuration file says: how the port of the scrape is protected. The format is that of Prometheus'
 * exporters.
 * @see https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md
 */

export interface WebConfig {
  /** Undefined: plain HTTP. */
  readonly tls: TlsSettings | undefined;
  /** Of every answer but 429. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names to bcrypt hashes; empty: nobody has to say who he is. */
  readonly users: readonly (readonly [name: string, hash: string])[];
  /** Of requests, all together; undefined: none but our own. */
  readonly rateLimit: RateLimit | undefined;
}

export interface RateLimit {
  readonly burst: number;
  readonly perSecond: number;
}

export interface TlsSettings {
  /** PEM, as the key and the CA. */
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string | undefined;
  readonly clientAuth: ClientAuth;
  /** Names of clients, of which their certificate has to have one; empty: any. */
  readonly allowedSans: readonly string[];
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** Names of OpenSSL, with those of TLS 1.3; undefined: Node's own. */
  readonly ciphers: string | undefined;
  /** The same; undefined: Node's own. */
  readonly curves: string | undefined;
  readonly honorCipherOrder: boolean;
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** What is asked of a client's certificate: whether there has to be one, and whether it is verified. */
export type ClientAuth = (typeof CLIENT_AUTH)[keyof typeof CLIENT_AUTH];

/** Words of the format; the second of those for `any` is an older name of it. */
export const CLIENT_AUTH = {
  NoClientCert: 'none',
  RequestClientCert: 'request',
  RequireAnyClientCert: 'any',
  RequireClientCert: 'any',
  VerifyClientCertIfGiven: 'verify if given',
  RequireAndVerifyClientCert: 'verify',
} as const;

/** Reading a file with faults gives this one, which is not used. */
export const NO_WEB_CONFIG: WebConfig = { tls: undefined, headers: {}, users: [], rateLimit: undefined };

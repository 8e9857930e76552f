/** Checks `tls_server_config`. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { nearest, type ProblemCode } from '../../errors';
import type { Path } from '../../files/yaml-text';
import { AT, PemCheck, type Section } from './pem-check';
import { secureOptions } from './secure-options';
import { CIPHERS, CURVES, TLS13_CIPHERS, VERSIONS } from './tls-names';
import { CLIENT_AUTH, type ClientAuth, type TlsSettings } from './web-config';

const KEYS = [
  'cert',
  'key',
  'client_ca',
  'cert_file',
  'key_file',
  'client_auth_type',
  'client_ca_file',
  'client_allowed_sans',
  'min_version',
  'max_version',
  'cipher_suites',
  'prefer_server_cipher_suites',
  'curve_preferences',
];
const MAX_SANS = 100;

export class TlsCheck extends PemCheck {
  /** @returns undefined for none, and where it cannot be used, which is reported */
  protected tls(value: unknown): TlsSettings | undefined {
    if (value === undefined || value === null) return undefined;
    const section = this.record(value, [AT], AT, KEYS);
    if (section === undefined || Object.keys(section).length === 0) return undefined;
    const cert = this.pem(section, 'cert', 'cert_file');
    const key = this.pem(section, 'key', 'key_file');
    for (const [name, pem] of Object.entries({ cert, key })) {
      if (pem === undefined) {
        this.certificate([AT], {
          wrong: `neither ${name} nor ${name}_file is there`,
          expected: `one of them: with ${AT} the port speaks TLS alone`,
          remedy: `Add ${name}_file, or remove ${AT} for plain HTTP.`,
        });
      }
    }
    const clients = this.clients(section);
    const settings: TlsSettings = {
      cert: cert ?? '',
      key: key ?? '',
      ...clients,
      minVersion: this.version(section, 'min_version') ?? 'TLSv1.2',
      maxVersion: this.version(section, 'max_version') ?? 'TLSv1.3',
      ciphers: this.ciphers(section),
      curves: this.names(section, 'curve_preferences', CURVES)?.join(':'),
      honorCipherOrder: this.bool(section.prefer_server_cipher_suites, [AT, 'prefer_server_cipher_suites']) ?? true,
    };
    if (settings.minVersion > settings.maxVersion) {
      this.report('CHX_WEB_TLS_VERSION', [AT, 'min_version'], 'value', () => ({
        wrong: 'min_version is newer than max_version',
        got: section.min_version,
        expected: `at most ${section.max_version}`,
        remedy: 'Leave max_version out.',
      }));
    }
    if (cert && key) this.tryOut(settings, section);
    return settings;
  }

  /** A switch that may be left out. */
  protected bool(value: unknown, at: Path): boolean | undefined {
    if (value === undefined || value === null || typeof value === 'boolean') return value ?? undefined;
    this.report('CHX_WEB_CONFIG_SHAPE', at, 'value', () => ({
      wrong: `${at.at(-1)} is no switch`,
      got: value,
      expected: 'true or false',
      remedy: 'Write it without quotes.',
    }));
    return undefined;
  }

  /** Whether Node can serve with it; what is wrong otherwise comes from OpenSSL and has no key in it. */
  private tryOut(settings: TlsSettings, section: Section): void {
    const { clientCa, ciphers, curves, ...pair } = settings;
    const tries: readonly [settings: TlsSettings, what: string, code: ProblemCode, at: string][] = [
      [
        { ...pair, clientCa: undefined, ciphers: undefined, curves: undefined },
        'the certificate and its key cannot be used',
        'CHX_WEB_TLS_CERTIFICATE',
        'cert_file',
      ],
      [
        { ...pair, clientCa, ciphers: undefined, curves: undefined },
        'the authorities of clients cannot be used',
        'CHX_WEB_TLS_CLIENT',
        'client_ca_file',
      ],
      [settings, 'Node cannot use these ciphers and curves', 'CHX_WEB_TLS_CIPHER', 'cipher_suites'],
    ];
    for (const [tried, wrong, code, at] of tries) {
      try {
        createSecureContext(secureOptions(tried));
        // Node passes over what is no certificate
        if (tried.clientCa !== undefined) new X509Certificate(tried.clientCa);
      } catch (error) {
        this.report(code, [AT, at in section ? at : at.replace('_file', '')], 'value', () => ({
          wrong: `${wrong}: ${(error as Error).message}`,
          expected: 'PEM: a certificate with its chain, and the key that belongs to it, without a passphrase',
          remedy: 'See the commands in docs/endpoint.md.',
        }));
        return;
      }
    }
  }

  private clients(section: Section): Pick<TlsSettings, 'clientCa' | 'clientAuth' | 'allowedSans'> {
    const clientCa = this.pem(section, 'client_ca', 'client_ca_file');
    const word = section.client_auth_type ?? 'NoClientCert';
    const known: Readonly<Record<string, ClientAuth>> = CLIENT_AUTH;
    const clientAuth = typeof word === 'string' && Object.hasOwn(known, word) ? known[word] : undefined;
    const refuse = (key: string, what: { wrong: string; got?: unknown; expected: string; remedy: string }) =>
      this.report('CHX_WEB_TLS_CLIENT', [AT, key], 'value', () => what);
    if (clientAuth === undefined) {
      const near = nearest(String(word), Object.keys(known));
      refuse('client_auth_type', {
        wrong: 'client_auth_type says nothing of certificates of clients',
        got: word,
        expected: Object.keys(known).join(', '),
        remedy: near === undefined ? 'RequireAndVerifyClientCert is the secure one.' : `Did you mean ${near}?`,
      });
    }
    const verifies = clientAuth === 'verify' || clientAuth === 'verify if given';
    if (clientCa !== undefined && clientAuth === 'none') {
      refuse('client_ca_file', {
        wrong: 'there are authorities of clients, and no client_auth_type that asks for a certificate',
        expected: 'client_auth_type: RequireAndVerifyClientCert',
        remedy: 'Add it, or remove the authorities.',
      });
    }
    // Go, and Node, would take the authorities of the web, and a certificate of anyone
    if (verifies && clientCa === undefined && !('client_ca_file' in section || 'client_ca' in section)) {
      refuse('client_auth_type', {
        wrong: 'certificates of clients are to be verified, and there is no authority to verify them by',
        got: word,
        expected: 'client_ca_file or client_ca',
        remedy: 'Name the authority that has signed them.',
      });
    }
    const allowedSans = this.sans(section.client_allowed_sans);
    if (allowedSans.length > 0 && clientAuth !== undefined && !verifies) {
      refuse('client_allowed_sans', {
        wrong: 'names of clients are given, and client_auth_type lets certificates pass that nobody has verified',
        expected: 'client_auth_type: RequireAndVerifyClientCert',
        remedy: 'Add it, or remove the names.',
      });
    }
    return { clientCa, clientAuth: clientAuth ?? 'verify', allowedSans };
  }

  private sans(value: unknown): readonly string[] {
    if (value === undefined || value === null) return [];
    const isList = Array.isArray(value) && value.length > 0 && value.length <= MAX_SANS;
    if (isList && value.every((name) => typeof name === 'string' && name !== '')) return value;
    this.report('CHX_WEB_TLS_CLIENT', [AT, 'client_allowed_sans'], 'value', () => ({
      wrong: 'client_allowed_sans is no list of names',
      got: value,
      expected: `1 to ${MAX_SANS} names: of DNS, addresses, e-mail or URIs`,
      remedy: 'Leave it out to let every verified client in.',
    }));
    return [];
  }

  private version(section: Section, key: string) {
    const word = section[key] ?? undefined;
    if (word === undefined) return undefined;
    const version = typeof word === 'string' && Object.hasOwn(VERSIONS, word) ? VERSIONS[word] : undefined;
    if (version === undefined) {
      this.report('CHX_WEB_TLS_VERSION', [AT, key], 'value', () => ({
        wrong: `${key} is no version that is served`,
        got: word,
        expected: Object.keys(VERSIONS).join(' or '),
        remedy: 'Leave it out for both.',
      }));
    }
    return version;
  }

  private ciphers(section: Section): string | undefined {
    const names = this.names(section, 'cipher_suites', CIPHERS);
    if (names === undefined) return undefined;
    return [...TLS13_CIPHERS, ...names.filter((name) => !TLS13_CIPHERS.includes(name))].join(':');
  }

  /** @returns Node's names; undefined for none */
  private names(section: Section, key: string, known: Readonly<Record<string, string>>): string[] | undefined {
    const value = section[key] ?? undefined;
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) {
      this.report('CHX_WEB_TLS_CIPHER', [AT, key], 'value', () => ({
        wrong: `${key} is no list`,
        got: value,
        expected: 'a list of names',
        remedy: "Leave it out for Node's own.",
      }));
      return undefined;
    }
    const names = value.map((name, index) => {
      if (typeof name === 'string' && Object.hasOwn(known, name)) return known[name] as string;
      const near = nearest(String(name), Object.keys(known));
      this.report('CHX_WEB_TLS_CIPHER', [AT, key, index], 'value', () => ({
        wrong: `${key} has a name that is not known`,
        got: name,
        expected: Object.keys(known).join(', '),
        remedy: near === undefined ? "Leave it out for Node's own." : `Did you mean ${near}?`,
      }));
      return '';
    });
    const found = names.filter((name) => name !== '');
    return found.length === 0 ? undefined : found;
  }
}

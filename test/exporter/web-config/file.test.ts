/** The web configuration file: every key of Prometheus' format is taken as meant, or refused with its place. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseWebConfigText, readWebConfigFile } from '../../../src/exporter/web-config/file';
import { secureOptions } from '../../../src/exporter/web-config/secure-options';
import type { TlsSettings } from '../../../src/exporter/web-config/web-config';
import { FIXTURES } from '../../support/paths';

const FOLDER = join(FIXTURES, 'web-config');
const FILES = readdirSync(FOLDER).sort();
/** Parts of what is secret in the fixtures. */
const SECRETS = /Ydco2NOwtaUURlNI2ND8IuyN|PRIVATE KEY|alice: secret|got "secret"/;

/** Problems as codes and places, in the order in which they are told; an empty file has no places. */
function codesAndPlaces(file: string): string {
  return readWebConfigFile(file)
    .problems.map(({ code, message }) => `${code} ${/:(\d+:\d+)\b/.exec(message.replace(file, ''))?.[1] ?? ''}`.trim())
    .join(', ');
}

describe('a good web configuration', () => {
  for (const name of FILES.filter((each) => each.includes('.good.'))) {
    it(`${name} is accepted`, () => {
      assert.deepEqual(readWebConfigFile(join(FOLDER, name)).problems, []);
    });
  }

  it('has all that it says in force', () => {
    const { config, files } = readWebConfigFile(join(FOLDER, 'full.good.yaml'));
    const { cert, key, clientCa, ...tls } = config.tls as TlsSettings;
    assert.match(cert, /BEGIN CERTIFICATE/);
    assert.match(key, /PRIVATE KEY/);
    assert.equal(clientCa, cert);
    assert.deepEqual(tls, {
      clientAuth: 'verify',
      allowedSans: ['prometheus.example.com', '127.0.0.1'],
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-RSA-AES128-GCM-SHA256',
      curves: 'X25519:P-256',
      honorCipherOrder: false,
    });
    assert.deepEqual(config.headers, {
      'Content-Security-Policy': "default-src 'none'",
      'X-Frame-Options': 'deny',
      'X-Content-Type-Options': 'nosniff',
      'Strict-Transport-Security': 'max-age=31536000',
    });
    assert.equal(config.users[0]?.[0], 'alice');
    assert.deepEqual(config.rateLimit, { burst: 20, perSecond: 1 / 90 });
    assert.deepEqual(
      new Set(files),
      new Set(['certificate.pem', 'key.pem'].map((file) => join(FIXTURES, 'tls', file))),
    );
  });

  it('is read by the names of the format where it says nothing', () => {
    const { config } = readWebConfigFile(join(FOLDER, 'tls.good.yaml'));
    const { requestCert, rejectUnauthorized, honorCipherOrder, minVersion, maxVersion } = secureOptions(
      config.tls as TlsSettings,
    );
    assert.deepEqual(
      { requestCert, rejectUnauthorized, honorCipherOrder, minVersion, maxVersion },
      {
        requestCert: false,
        rejectUnauthorized: false,
        honorCipherOrder: true,
        minVersion: 'TLSv1.2',
        maxVersion: 'TLSv1.3',
      },
    );
  });
});

describe('a bad web configuration', () => {
  for (const name of FILES.filter((each) => each.includes('.bad.'))) {
    it(`${name} is refused with all its problems and their places, none of its secrets, and none of it is used`, () => {
      const file = join(FOLDER, name);
      const expected = /^# expects (.*)$/m.exec(readFileSync(file, 'utf8'))?.[1];
      assert.equal(codesAndPlaces(file), expected);
      const { config, problems } = readWebConfigFile(file);
      assert.deepEqual(config, { tls: undefined, headers: {}, users: [], rateLimit: undefined });
      assert.doesNotMatch(problems.map(({ message }) => message).join('\n'), SECRETS);
    });
  }

  it('is told the near spelling', () => {
    const remedies: readonly [text: string, remedy: RegExp][] = [
      ['basic_auth_user: {}', /Did you mean basic_auth_users\?$/],
      ['tls_server_config: { certfile: a, key: b, cert: c }', /Did you mean cert_file\?$/],
      ['tls_server_config: { client_auth_type: NoClientCerts, key: b, cert: c }', /Did you mean NoClientCert\?$/],
      ['tls_server_config: { curve_preferences: [P25519], key: b, cert: c }', /Did you mean X25519\?$/],
      ['http_server_config: { headers: { X-Frame-Option: deny } }', /Did you mean X-Frame-Options\?$/],
      ['http_server_config: { headers: { X-Frame-Options: denie } }', /Did you mean deny\?$/],
      ['rate_limit: { burts: 1, interval: 0 }', /Did you mean burst\?$/],
    ];
    for (const [text, remedy] of remedies) {
      assert.match(parseWebConfigText(text, '/web.yaml').problems[0]?.message ?? '', remedy);
    }
  });

  it('may be missing, a device or too large, and is reported with its path', () => {
    for (const file of ['/none/web.yaml', '/dev/zero', FOLDER]) {
      const message = readWebConfigFile(file)
        .problems.map((problem) => problem.message)
        .join();
      assert.match(message, /^CHX_WEB_CONFIG_UNREADABLE: /);
      assert.ok(message.includes(`got ${JSON.stringify(file)}`));
    }
  });

  it('has room for a hundred users and no more', () => {
    const hash = `$2b$10$${'a'.repeat(53)}`;
    const users = (count: number) => Array.from({ length: count }, (_, n) => `  u${n}: ${hash}\n`).join('');
    assert.deepEqual(parseWebConfigText(`basic_auth_users:\n${users(100)}`, '/web.yaml').problems, []);
    const { problems } = parseWebConfigText(`basic_auth_users:\n${users(101)}`, '/web.yaml');
    assert.match(problems.map(({ message }) => message).join(), /^CHX_WEB_USER: .* more than 100 users; got "u100"/);
  });
});

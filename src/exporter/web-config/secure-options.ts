/** The TLS settings of a web configuration, as Node takes them. */
import type { TlsOptions } from 'node:tls';
import type { TlsSettings } from './web-config';

/** @throws nothing; Node may refuse them */
export function secureOptions(settings: TlsSettings): TlsOptions {
  const { cert, key, clientCa, ciphers, curves, minVersion, maxVersion, honorCipherOrder, clientAuth } = settings;
  return {
    cert,
    key,
    minVersion,
    maxVersion,
    honorCipherOrder,
    requestCert: clientAuth !== 'none',
    rejectUnauthorized: clientAuth === 'verify',
    ...(clientCa !== undefined && { ca: clientCa }),
    ...(ciphers !== undefined && { ciphers }),
    ...(curves !== undefined && { ecdhCurve: curves }),
  };
}

/** Certificates of an authority of the test's own, made by openssl while the test runs. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DebianProgram, findDebianProgram } from './debian';

const OPENSSL: DebianProgram = { packages: ['openssl'], program: 'usr/bin/openssl' };

export interface Authority {
  /** Its certificate. */
  readonly file: string;
  /**
   * Signs a certificate; files of the same name are replaced.
   * @param names such as `DNS:localhost,IP:127.0.0.1`
   */
  sign(name: string, names: string): Pair;
}

/** Paths of PEM files. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** Creates an authority whose files stand in a folder. @throws {Error} where there is no openssl */
export async function createAuthority(folder: string, name = 'authority'): Promise<Authority> {
  const found = await findDebianProgram(OPENSSL);
  if ('missing' in found) throw new Error(found.missing);
  const run = (...args: string[]) => execFileSync(found.path, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const file = join(folder, `${name}.crt`);
  const key = join(folder, `${name}.key`);
  run('req', '-x509', ...newKey, '-keyout', key, '-out', file, '-days', '2', '-subj', `/CN=${name}`);
  return {
    file,
    sign(own, names) {
      const pair = { cert: join(folder, `${own}.crt`), key: join(folder, `${own}.key`) };
      const request = join(folder, `${own}.csr`);
      const extensions = join(folder, `${own}.ext`);
      writeFileSync(extensions, `subjectAltName=${names}\n`);
      run('req', ...newKey, '-keyout', pair.key, '-out', request, '-subj', `/CN=${own}`);
      const signed = ['-CA', file, '-CAkey', key, '-CAcreateserial', '-days', '2', '-extfile', extensions];
      run('x509', '-req', '-in', request, ...signed, '-out', pair.cert);
      return pair;
    },
  };
}

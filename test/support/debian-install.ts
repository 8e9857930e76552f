/**
 * Servers that need more than their own package, such as RabbitMQ with its Erlang: where the test may install, as in a
 * container of a CI, Debian's packages are installed without starting any service.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findDebianProgram } from './debian';

/** One at a time: test files run beside each other, and the policy is there for as long as one installs. */
const LOCK = join(tmpdir(), 'channel-exporter-apt.lock');

/** A policy that is there already belongs to somebody, and stays. */
const INSTALL = `
test -x "$2" && exit 0
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y --no-install-recommends "$1"; }
install "$1" || { apt-get update; install "$1"; }
`;

/**
 * @param path where the package puts the program
 * @returns the path of an executable
 * @throws when it is not there and cannot be had
 */
export async function installedBinary(packageName: string, path: string): Promise<string> {
  if (existsSync(path)) return path;
  if (process.getuid?.() !== 0) {
    const found = await findDebianProgram({ packages: [packageName], program: path.slice(1) });
    if ('missing' in found) throw new Error(found.missing);
    return found.path;
  }
  try {
    execFileSync('flock', [LOCK, 'sh', '-ec', INSTALL, 'install', packageName, path], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (cause) {
    throw new Error(`${packageName} is needed for this test and could not be installed`, { cause });
  }
  if (!existsSync(path)) throw new Error(`Debian's package ${packageName} holds no ${path}`);
  return path;
}

/** A real nginx in front of a program, on a free port of 127.0.0.1, with a folder of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installedBinary } from './debian-install';
import { endsWithUs } from './left-behind';
import { freePort, until } from './waiting';

export interface Nginx {
  readonly port: number;
  /** The status of each request, as its access log has them so far. */
  statuses(): number[];
  stop(): Promise<void>;
}

/**
 * Starts it as a reverse proxy.
 * @param upstream port of the program behind it
 * @throws when it is not there and cannot be had
 */
export async function startNginx(upstream: number): Promise<Nginx> {
  const command = await installedBinary('nginx-light', '/usr/sbin/nginx');
  const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-nginx-'));
  mkdirSync(join(folder, 'logs'));
  const port = await freePort();
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${name};`);
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid nginx.pid; error_log stderr;
     events { worker_connections 256; }
     http {
       ${places.join(' ')}
       log_format status '$status';
       access_log logs/access.log status;
       server {
         listen 127.0.0.1:${port};
         location / { proxy_pass http://127.0.0.1:${upstream}; }
       }
     }`,
  );
  const child = spawn(command, ['-p', folder, '-c', 'nginx.conf'], { stdio: ['ignore', 'ignore', 'pipe'] });
  endsWithUs(child);
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const exited = once(child, 'exit');
  await until(
    () => isOpen(port),
    () => `nginx does not listen:\n${output}`,
  );
  return {
    port,
    statuses: () => readFileSync(join(folder, 'logs/access.log'), 'utf8').split('\n').filter(Boolean).map(Number),
    async stop() {
      child.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isThere = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  });
  socket.destroy();
  return isThere;
}

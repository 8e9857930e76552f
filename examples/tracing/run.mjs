/**
 * Starts a partner, a service that is none, and the traced service; asks it for three things; ends everything.
 * `npm run example:tracing`
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-tracing-'));

/** A server that answers everything with what `answer` makes of the body. */
async function serve(answer) {
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer(text)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, host: `127.0.0.1:${server.address().port}` };
}

const partner = await serve((text) => (text.includes('5000') ? { errorcode: 'LIMIT' } : { code: '0' }));
const other = await serve(() => ({ code: 'not a business code' }));
const partners = join(folder, 'partners.json');
const paths = { '/v1/pay': '1201', '/v1/orders/:id': '1202' };
writeFileSync(partners, JSON.stringify({ hosts: { [partner.host]: { partner: '12', paths } } }));

const service = spawn(process.execPath, ['-r', './tracing.js', 'service.js'], {
  cwd: HERE,
  env: {
    ...process.env,
    PARTNERS: partners,
    PARTNER_URL: `http://${partner.host}`,
    OTHER_URL: `http://${other.host}`,
  },
  stdio: ['ignore', 'pipe', 'inherit'],
});
let said = '';
service.stdout.setEncoding('utf8').on('data', (text) => {
  said += text;
});

try {
  const port = await until(() => /^ready (\d+)$/m.exec(said)?.[1]);
  const pay = (amount) => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ method_code: 'M1', amount }),
  });
  await ask(port, '/api/pay', pay(10));
  await ask(port, '/api/pay', pay(5000));
  await ask(port, '/api/orders/7?method_code=M2');
  await until(() => said.split('\n').filter((line) => line.startsWith('SERVER')).length === 3);
  console.log(said.replace(/^ready .*\n/, '').trimEnd());
} finally {
  service.kill('SIGKILL');
  for (const { server } of [partner, other]) {
    server.close();
    server.closeAllConnections();
  }
  rmSync(folder, { recursive: true, force: true });
}

async function ask(port, path, init = {}) {
  const headers = { 'user-agent': 'C001', ...init.headers };
  await (await fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers })).text();
}

async function until(look) {
  for (const limit = Date.now() + 20_000; Date.now() < limit && service.exitCode === null; ) {
    const found = look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`the service has not come so far:\n${said}`);
}

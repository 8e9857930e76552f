/**
 * Starts a receiver of OTLP and the service, asks the service for three things, ends it, and prints what the receiver
 * was sent last. `npm run example:otlp`
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Families about the exporter, partners, codes and the process. */
const BESIDE = /^(channel_|process_|nodejs_)/;

const HERE = dirname(fileURLToPath(import.meta.url));
const PRELOAD = createRequire(import.meta.url).resolve('channel-exporter/register');

let last;
const receiver = createServer(async (request, response) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  last = JSON.parse(text);
  response.setHeader('content-type', 'application/json').end('{}');
});
receiver.listen(0, '127.0.0.1');
await once(receiver, 'listening');

const service = spawn(process.execPath, ['-r', PRELOAD, '-r', './telemetry.js', 'service.js'], {
  cwd: HERE,
  env: {
    ...process.env,
    SYSCODE: 'A123010101',
    CHANNEL_EXPORTER_PORT: '0',
    OTEL_LOG_LEVEL: 'warn',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${receiver.address().port}`,
  },
  stdio: ['ignore', 'pipe', 'inherit'],
});

try {
  const port = await ready(service.stdout);
  for (const id of [7, 8, 13]) {
    await (await fetch(`http://127.0.0.1:${port}/orders/${id}`, { headers: { 'user-agent': 'C001' } })).text();
  }
  const ended = once(service, 'exit');
  service.kill('SIGTERM');
  await ended;
  show(last);
} finally {
  service.kill('SIGKILL');
  receiver.close();
  receiver.closeAllConnections();
}

async function ready(stdout) {
  let said = '';
  for await (const text of stdout.setEncoding('utf8')) {
    said += text;
    const [, port] = /^ready (\d+)$/m.exec(said) ?? [];
    if (port) return port;
  }
  throw new Error(`the service has not started:\n${said}`);
}

/** One line for each series of what was measured. */
function show({ resourceMetrics: [{ resource, scopeMetrics }] }) {
  const textOf = (attributes) => attributes.map(({ key, value }) => `${key}=${value.stringValue}`).join(' ');
  console.log(textOf(resource.attributes.filter(({ key }) => key === 'service.name')));
  for (const { scope, metrics } of scopeMetrics) {
    for (const { name, histogram, sum, gauge } of metrics) {
      if (BESIDE.test(name)) continue;
      for (const { attributes, count, asInt, asDouble } of (histogram ?? sum ?? gauge).dataPoints) {
        console.log(`  ${scope.name}  ${name}  ${count ?? asInt ?? asDouble}  ${textOf(attributes)}`.trimEnd());
      }
    }
  }
}

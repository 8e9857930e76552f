/** Span hooks beside the exporter: a request's body is kept and read once for both. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { it } from 'node:test';
import type { Span } from '@opentelemetry/api';
import { totalKeptBytes } from '../../src/business-code/kept-bytes';
import { createInboundInstrumentation } from '../../src/instrumentations/inbound/http1';
import type { SourceContext } from '../../src/instrumentations/instrumentation';
import { PartnerDirectory } from '../../src/partners/directory';
import { createSpanHooks } from '../../src/spans/hooks';

const BODY_LIMIT = 64 * 1024;

for (const status of [200, 404]) {
  it(`a form is kept once for a span and the metrics, which have the same number: ${status}`, async () => {
    const server = http.createServer();
    const recorded: string[] = [];
    const stamped: unknown[] = [];
    const context = {
      bodyLimit: BODY_LIMIT,
      callers: { nameOf: () => '', fCode: () => '' },
      paths: { labelOf: (path: string) => path },
      ignorePaths: new Set(),
      isOwnServer: () => false,
      recorder: {
        recordInner: ({ methodCode }: { methodCode: string }) => recorded.push(methodCode),
        unrecorded: () => undefined,
        failed: (_source: string, error: unknown) => assert.fail(String(error)),
      },
    } as unknown as SourceContext;
    const source = createInboundInstrumentation();
    source.enable(context);
    const { http: hooks } = createSpanHooks(() => ({ partners: new PartnerDirectory([]), bodyLimit: BODY_LIMIT }));
    const span = {
      isRecording: () => true,
      setAttributes: (attributes: object) => stamped.push(Reflect.get(attributes, 'channel.method_code')),
    } as unknown as Span;
    let kept = 0;
    const ended = new Promise<void>((resolve) => {
      server.once('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
        hooks.responseHook(span, response);
        response.on('close', () => {
          hooks.applyCustomAttributesOnSpan(span, request, response);
          resolve();
        });
        request.resume().on('end', () => {
          kept = totalKeptBytes();
          response.writeHead(status).end('{"code":"0"}');
        });
      });
    });
    try {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const body = `method_code=M1&x=${'y'.repeat(BODY_LIMIT)}`;
      await (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body })).text();
      await ended;
      assert.ok(kept > 0 && kept <= BODY_LIMIT, `${kept} bytes were kept`);
      assert.deepEqual(stamped, ['M1']);
      assert.deepEqual(recorded, status === 404 ? [] : ['M1']);
      assert.equal(totalKeptBytes(), 0);
    } finally {
      source.disable();
      server.close();
    }
  });
}

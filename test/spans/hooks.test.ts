/** What the hooks for spans make of a call's options, and which responses they leave alone. */
import assert from 'node:assert/strict';
import { IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { type Attributes, INVALID_SPAN_CONTEXT, type Span, trace } from '@opentelemetry/api';
import { Callers } from '../../src/callers/callers';
import { parsePartnerDirectory } from '../../src/partners/check';
import { PartnerDirectory } from '../../src/partners/directory';
import { createSpanHooks } from '../../src/spans/hooks';

const { hosts } = parsePartnerDirectory({
  hosts: {
    'pay.example.com': { partner: '12', paths: { '/v1/pay': '1201' } },
    'pay.example.com:8443': { partner: '13' },
    localhost: { partner: '14' },
    '[::1]:8080': { partner: '15' },
    'nameless.example.com': { partner: '' },
  },
});
const { http, express } = createSpanHooks(() => ({ partners: new PartnerDirectory(hosts), bodyLimit: 1024 }));

const partner = (code: string, actionCode?: string): Attributes => ({
  'channel.partner': code,
  ...(actionCode && { 'channel.action_code': actionCode }),
  'channel.code': '-1',
});

const CALLS: readonly { name: string; options: RequestOptions; expect: Attributes }[] = [
  { name: 'a host', options: { host: 'pay.example.com' }, expect: partner('12') },
  { name: 'a path', options: { hostname: 'pay.example.com', path: '/v1/pay?x#y' }, expect: partner('12', '1201') },
  { name: 'a hostname beside a host', options: { hostname: 'PAY.example.com', host: 'x:1' }, expect: partner('12') },
  { name: 'the default port', options: { host: 'pay.example.com', port: '80' }, expect: partner('12') },
  {
    name: 'the default port of https',
    options: { protocol: 'https:', host: 'pay.example.com' },
    expect: partner('12'),
  },
  { name: 'that of the other scheme', options: { host: 'pay.example.com', port: 443 }, expect: {} },
  { name: 'a port of its own', options: { host: 'pay.example.com', port: '8443' }, expect: partner('13') },
  { name: 'a default port', options: { host: 'pay.example.com', defaultPort: 8443 }, expect: partner('13') },
  { name: 'an agent', options: { host: 'pay.example.com', agent: new HttpsAgent() }, expect: {} },
  { name: 'an unknown port', options: { host: 'pay.example.com', port: 81 }, expect: {} },
  { name: 'nothing at all', options: {}, expect: partner('14') },
  { name: 'an IPv6 address', options: { hostname: '::1', port: 8080 }, expect: partner('15') },
  { name: 'an empty partner code', options: { host: 'nameless.example.com' }, expect: partner('') },
  { name: 'a tunnel', options: { method: 'connect', host: 'pay.example.com' }, expect: {} },
  {
    name: 'a forward proxy',
    options: { host: 'proxy', port: 3128, path: 'http://pay.example.com/v1/pay' },
    expect: partner('12', '1201'),
  },
  { name: 'a proxy that is a partner', options: { host: 'pay.example.com', path: 'http://x/v1/pay' }, expect: {} },
];

describe('the span of a call with', () => {
  for (const { name, options, expect } of CALLS) {
    it(`${name} has ${JSON.stringify(expect)}`, () => assert.deepEqual(http.startOutgoingSpanHook(options), expect));
  }
});

/** A span as the SDK makes it, as far as it matters here. */
function recordingSpan(attributes: Attributes): Span & { attributes: Attributes } {
  const span = { attributes: { ...attributes }, isRecording: () => true };
  const setAttribute = (name: string, value: string) => Object.assign(span.attributes, { [name]: value });
  return Object.assign(trace.wrapSpanContext(INVALID_SPAN_CONTEXT), span, { setAttribute });
}

describe('a response', () => {
  const CASES = [
    { name: 'of a partner is read', span: recordingSpan(partner('12')), isRead: true },
    { name: 'of a partner without a code is read', span: recordingSpan(partner('')), isRead: true },
    { name: 'of another host is left alone', span: recordingSpan({}), isRead: false },
    {
      name: 'whose span is not recorded is left alone',
      span: trace.wrapSpanContext(INVALID_SPAN_CONTEXT),
      isRead: false,
    },
  ];
  for (const { name, span, isRead } of CASES) {
    it(name, () => {
      const response = new IncomingMessage(new Socket());
      http.responseHook(span, response);
      assert.equal(Object.hasOwn(response, 'push'), isRead);
    });
  }

  it('gives its code as soon as nothing can change it, though it goes on', () => {
    const response = new IncomingMessage(new Socket());
    const span = recordingSpan(partner('12'));
    http.responseHook(span, response);
    response.push('{"code":"A1","rows":"');
    assert.equal(span.attributes['channel.code'], '-1');
    response.push('x'.repeat(2000));
    assert.equal(span.attributes['channel.code'], 'A1');
  });

  it('that ends before it is complete has no code', () => {
    const response = new IncomingMessage(new Socket());
    const span = recordingSpan(partner('12'));
    http.responseHook(span, response);
    response.push('{"code":"A1"}');
    response.push(null);
    assert.equal(span.attributes['channel.code'], '-1');
  });
});

describe('the span of a request', () => {
  const span = (hooks: typeof http, userAgent: string) => {
    const request = new IncomingMessage(new Socket());
    request.rawHeaders = ['Host', 'localhost', 'User-Agent', userAgent];
    return hooks.startIncomingSpanHook(request);
  };

  it("has its caller's name, as the metrics have", () => {
    const callers = new Callers({ entries: [['axios/*', 'axios']], rest: 'other' });
    const named = createSpanHooks(() => ({ partners: new PartnerDirectory([]), callers, bodyLimit: 0 }));
    assert.deepEqual(span(named.http, 'axios/1.7.9'), { 'channel.f_code': 'axios' });
    assert.deepEqual(span(named.http, 'curl/8.5.0'), { 'channel.f_code': 'other' });
  });

  it('has its User-Agent, cut, where no file names callers', () => {
    assert.deepEqual(span(http, 'python-requests/2.31.0'), { 'channel.f_code': 'python-requests/2.31...' });
  });
});

describe('hooks that are called with what they do not expect', () => {
  it('do not throw', () => {
    const odd = {} as never;
    assert.deepEqual(http.startOutgoingSpanHook(null as never), {});
    assert.deepEqual(http.startIncomingSpanHook(odd), {});
    http.responseHook(odd, odd);
    http.applyCustomAttributesOnSpan(odd, odd, odd);
    express.requestHook(odd, odd);
  });
});

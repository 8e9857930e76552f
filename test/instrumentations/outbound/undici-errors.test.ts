/** Errors of undici and node:http2 as the fixed words, where no server can be made to cause them in a test. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { partnerErrorOf } from '../../../src/instrumentations/outbound/partner-error';

const WORDS: readonly (readonly [code: string, word: string])[] = [
  ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
  ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
  ['UND_ERR_BODY_TIMEOUT', 'timeout'],
  ['UND_ERR_SOCKET', 'reset'],
  ['UND_ERR_INFO', 'reset'],
  ['UND_ERR_ABORTED', 'aborted'],
  ['UND_ERR_ABORT', 'aborted'],
  ['UND_ERR_DESTROYED', 'aborted'],
  ['UND_ERR_CLOSED', 'aborted'],
  ['UND_ERR_PRX_TLS', 'tls'],
  ['UND_ERR_HEADERS_OVERFLOW', 'other'],
  ['ERR_HTTP2_STREAM_ERROR', 'reset'],
  ['ERR_HTTP2_SESSION_ERROR', 'reset'],
  ['ERR_HTTP2_GOAWAY_SESSION', 'reset'],
  ['ERR_HTTP2_STREAM_CANCEL', 'aborted'],
];
const CONTEXT = { hasTimedOut: false, isDestroyed: false };

describe('the word for an error', () => {
  for (const [code, word] of WORDS) {
    it(`${code} is ${word}`, () => {
      assert.equal(partnerErrorOf(Object.assign(new Error('x'), { code }), CONTEXT), word);
    });
  }
  it('a stream that waited for a connection has the word of its cause', () => {
    const cause = Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
    const error = Object.assign(new Error('y', { cause }), { code: 'ERR_HTTP2_STREAM_CANCEL' });
    assert.equal(partnerErrorOf(error, CONTEXT), 'refused');
  });
});

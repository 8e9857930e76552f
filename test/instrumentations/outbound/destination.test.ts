import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseOrigin } from '../../../src/instrumentations/outbound/destination';

describe('the origin of a URL', () => {
  it('does not depend on the URL that was read before it', () => {
    const urls = [
      'http://partner.example/orders',
      'http://partner.example/orders/7?a=b',
      'http://partner.example.evil/orders',
      'http://partner.example:81/orders',
      'http://partner.example:810/orders',
      'https://partner.example/orders',
      'http://partner.example',
      'http://partner.example?a=b',
      'HTTP://PARTNER.example:80/orders',
      'http://user:word@partner.example/orders',
      'http://partner.example@other.example/orders',
      'no url',
    ];
    for (const before of urls) {
      for (const url of urls) {
        parseOrigin(before);
        const { protocol, hostname, port } = parseOrigin(url) ?? {};
        const expected = URL.canParse(url) ? new URL(url) : undefined;
        const expectedPort = expected?.port ? Number(expected.port) : undefined;
        assert.deepEqual(
          [protocol, hostname?.toLowerCase(), port],
          [expected?.protocol, expected?.hostname, expectedPort],
          `${url} after ${before}`,
        );
      }
    }
  });
});

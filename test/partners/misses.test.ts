/** Hosts that are called and that no entry has: each is told once, in a bounded number. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findDestination } from '../../src/instrumentations/outbound/destination';
import { PartnerDirectory } from '../../src/partners/directory';
import { createPartnerMisses } from '../../src/partners/misses';

function watched() {
  const told: string[] = [];
  const misses = createPartnerMisses(undefined, (host) => told.push(host));
  const entry = { names: [{ hostname: 'pay.test', port: undefined }], partner: '12', paths: [] };
  const partners = new PartnerDirectory([entry], [], misses);
  const call = (hostname: string, path = '/') =>
    findDestination(partners, { method: 'GET', protocol: 'http:', hostname, path, port: () => undefined });
  return { told, call };
}

describe('hosts without an entry', () => {
  it('are told once each, in lower case, and those of entries are not', () => {
    const { told, call } = watched();
    for (const host of ['a.test', 'B.test', 'a.test', 'pay.test', 'PAY.test']) call(host);
    assert.deepEqual(told, ['a.test', 'b.test']);
  });

  it('are told of requests through a proxy too', () => {
    const { told, call } = watched();
    call('proxy.test', 'http://behind.test/x');
    assert.deepEqual(told, ['behind.test']);
  });

  it('are other after fifty, once', () => {
    const { told, call } = watched();
    for (let i = 0; i < 10_000; i++) call(`h${i}.test`);
    assert.equal(told.length, 51);
    assert.deepEqual(told.slice(-2), ['h49.test', 'other']);
  });

  it('are asked for by nobody where they are neither counted nor logged', () => {
    assert.equal(createPartnerMisses().host, undefined);
  });
});

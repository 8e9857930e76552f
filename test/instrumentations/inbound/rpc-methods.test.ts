import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_FAILED_METHODS, MAX_METHODS, RpcMethods } from '../../../src/instrumentations/inbound/rpc-methods';

describe('a remote method', () => {
  it('is a route once an answer shows that it exists, whatever follows', () => {
    const methods = new RpcMethods();
    assert.equal(methods.admit('/a', 'unknown'), false);
    assert.equal(methods.admit('/a', undefined), false, 'no answer of a remote method');
    assert.equal(methods.admit('/a', 'failed'), true);
    assert.equal(methods.admit('/a', 'unknown'), true);
    assert.equal(methods.admit('/b', 'unknown'), false);
  });

  it('has room beside names that only fail', () => {
    const methods = new RpcMethods();
    const admitted = Array.from({ length: 10_000 }, (_, n) => methods.admit(`/made-up/${n}`, 'failed'));
    assert.equal(admitted.filter(Boolean).length, MAX_FAILED_METHODS);
    assert.equal(methods.admit('/real', 'failed'), false);
    assert.equal(methods.admit('/real', 'ok'), true);
    assert.equal(methods.admit('/real', 'failed'), true);
  });

  it('gives its room among the failed back when it succeeds', () => {
    const methods = new RpcMethods();
    for (let n = 0; n < MAX_FAILED_METHODS; n++) methods.admit(`/${n}`, 'failed');
    assert.equal(methods.admit('/more', 'failed'), false);
    assert.equal(methods.admit('/0', 'ok'), true);
    assert.equal(methods.admit('/0', 'ok'), true);
    assert.equal(methods.admit('/more', 'failed'), true);
    assert.equal(methods.admit('/and more', 'failed'), false);
  });

  it('takes part of the room of routes at most, and no long name', () => {
    const methods = new RpcMethods();
    const admitted = Array.from({ length: 10_000 }, (_, n) => methods.admit(`/any/${n}`, 'ok'));
    assert.equal(admitted.filter(Boolean).length, MAX_METHODS);
    assert.equal(new RpcMethods().admit(`/${'x'.repeat(255)}`, 'ok'), false);
  });
});

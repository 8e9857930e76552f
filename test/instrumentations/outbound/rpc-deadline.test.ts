import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rpcTimeoutMs } from '../../../src/instrumentations/outbound/rpc-deadline';

const EARLY_MS = 20;

describe('the time that a remote method may take', () => {
  const cases: readonly (readonly [headers: Record<string, string>, ms: number | undefined])[] = [
    [{ 'grpc-timeout': '2H' }, 7_200_000],
    [{ 'grpc-timeout': '3M' }, 180_000],
    [{ 'grpc-timeout': '4S' }, 4000],
    [{ 'grpc-timeout': '500m' }, 500],
    [{ 'grpc-timeout': '600000u' }, 600],
    [{ 'grpc-timeout': '70000000n' }, 70],
    [{ 'connect-timeout-ms': '250' }, 250],
    [{ 'grpc-timeout': '5s' }, undefined],
    [{ 'grpc-timeout': '12345678901m' }, undefined],
    [{ 'connect-timeout-ms': 'soon' }, undefined],
    [{}, undefined],
  ];
  for (const [headers, ms] of cases) {
    it(`is ${ms} ms of ${JSON.stringify(headers)}`, () => {
      assert.equal(rpcTimeoutMs(headers), ms === undefined ? undefined : ms - EARLY_MS);
    });
  }
});

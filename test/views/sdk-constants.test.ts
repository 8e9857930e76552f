/** Our constants are the SDK's. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as sdk from '@opentelemetry/sdk-metrics';
import { AggregationTemporality, AggregationType, DataPointType } from '../../src/views/sdk-constants';

const WORDS = [
  { name: 'AggregationTemporality', words: AggregationTemporality, own: sdk.AggregationTemporality },
  { name: 'AggregationType', words: AggregationType, own: sdk.AggregationType },
  { name: 'DataPointType', words: DataPointType, own: sdk.DataPointType },
];

describe('a word of the SDK', () => {
  for (const { name, words, own } of WORDS) {
    it(`is numbered as the SDK numbers it: ${name}`, () => {
      for (const [word, number] of Object.entries(words))
        assert.equal(Object.entries(own).find(([key]) => key === word)?.[1], number);
    });
  }
});

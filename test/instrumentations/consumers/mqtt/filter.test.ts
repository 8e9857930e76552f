import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isSubscribedBy } from '../../../../src/instrumentations/consumers/mqtt/filter';

const CASES: readonly (readonly [filter: string, topic: string, isMatch: boolean])[] = [
  ['a/b', 'a/b', true],
  ['a/b', 'a/b/c', false],
  ['a/b/c', 'a/b', false],
  ['a/+', 'a/b', true],
  ['a/+', 'a/b/c', false],
  ['a/+', 'a', false],
  ['a/+', 'a/', true],
  ['+/+', '/a', true],
  ['+', '/a', false],
  ['a/#', 'a', true],
  ['a/#', 'a/b/c', true],
  ['#', 'a/b', true],
  ['#', '$SYS/uptime', false],
  ['+/uptime', '$SYS/uptime', false],
  ['$SYS/#', '$SYS/uptime', true],
  ['$share/group/a/+', 'a/b', true],
  ['$share/group/a/+', 'b/b', false],
];

describe('a filter of MQTT', () => {
  for (const [filter, topic, isMatch] of CASES) {
    it(`${filter} ${isMatch ? 'matches' : 'does not match'} ${topic}`, () => {
      assert.equal(isSubscribedBy(filter, topic), isMatch);
    });
  }
});

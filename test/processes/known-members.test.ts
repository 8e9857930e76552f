/** Who has left a hub is counted once, and only of those that it has had. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KnownMembers } from '../../src/processes/known-members';

describe('members that a hub knows', () => {
  it('are not gone, nor come back, where only another hub has had them', () => {
    const known = new KnownMembers(new Map());
    known.remember('inherited', 7);
    known.comes('inherited');
    assert.deepEqual([known.gone, known.lost], [0, 0]);
    known.leaves('inherited', false);
    assert.deepEqual([known.gone, known.lost], [1, 1]);
    known.comes('inherited');
    assert.deepEqual([known.gone, known.lost], [0, 0]);
  });
});

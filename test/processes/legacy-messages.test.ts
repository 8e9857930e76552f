/** What a hub leaves travels in messages: bounded, checked, and good for a second. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { Deltas } from '../../src/metrics/deltas';
import {
  LegacyInbox,
  type LegacyMessage,
  legacyMessages,
  MAX_LEGACY_FRAME_BYTES,
} from '../../src/processes/legacy-messages';
import { encodeFrame, hubMessage, memberMessage, ProtocolError } from '../../src/processes/protocol';

const NOW_MS = 1_000_000;
const GOOD_FOR_MS = 1_000;
const MARKS = { mark: 3, scrapers: [{ name: 'one', mark: 2, former: 1 }] };
const INSTANCE = '0b8f7a55-3d5e-4c1c-9a4e-2f7f8a1c5d60';

beforeEach(() => mock.timers.enable({ apis: ['Date'], now: NOW_MS }));
afterEach(() => mock.timers.reset());

function totalsOf(series: number): Deltas {
  const rows = Array.from({ length: series }, (_, n) => ({ values: [`/${n}`], begin: 1, arrival: n, add: n }));
  return [{ family: 'requests', labels: ['path'], series: rows }];
}

function received(messages: readonly LegacyMessage[]): LegacyInbox {
  const inbox = new LegacyInbox();
  for (const message of messages) {
    const parsed = hubMessage(JSON.parse(JSON.stringify(message)));
    assert.deepEqual(memberMessage(JSON.parse(JSON.stringify(message))), parsed);
    inbox.add(parsed as LegacyMessage);
  }
  return inbox;
}

describe('what a hub leaves', () => {
  it('arrives as it was sent, and is taken once', () => {
    const inbox = received(legacyMessages({ ...MARKS, totals: totalsOf(3), instance: INSTANCE }, [['member', 5]]));
    assert.ok(inbox.isComplete);
    const { totals, mark, scrapers, batches, instance } = inbox.take() ?? {};
    assert.deepEqual(
      { totals, mark, scrapers, batches, instance },
      { ...MARKS, totals: totalsOf(3), batches: [['member', 5]], instance: INSTANCE },
    );
    assert.equal(inbox.take(), undefined);
  });

  it('goes on to another process, with the parts that have come', () => {
    const messages = legacyMessages({ ...MARKS, totals: totalsOf(3_000) }, []);
    const inbox = received(messages.slice(0, -1));
    assert.equal(inbox.isComplete, false);
    const second = received(inbox.takeMessages());
    assert.ok(second.isComplete);
    assert.equal(second.take()?.totals.length, messages.length - 2);
    assert.deepEqual(inbox.takeMessages(), []);
  });

  it('is bounded, however many series there are, and the first of them go', () => {
    const messages = legacyMessages({ ...MARKS, totals: totalsOf(100_000) }, []);
    assert.equal(messages.length, 9);
    for (const message of messages) assert.ok(encodeFrame(message).length <= MAX_LEGACY_FRAME_BYTES);
    const series = received(messages)
      .take()
      ?.totals.flatMap((each) => each.series);
    assert.deepEqual(
      series?.map(({ values }) => values[0]),
      series?.map((_, n) => `/${n}`),
    );
  });

  it('is nothing after a second: another process may have been scraped by then', () => {
    const messages = legacyMessages({ ...MARKS, totals: totalsOf(1) }, []);
    const inboxes = [received(messages), received(messages)];
    mock.timers.tick(GOOD_FOR_MS + 1);
    assert.equal(inboxes[0]?.take(), undefined);
    assert.deepEqual(inboxes[1]?.takeMessages(), []);
  });

  it('is refused when it is malformed, or comes without end', () => {
    const [head, part] = legacyMessages({ ...MARKS, totals: totalsOf(1) }, []) as [LegacyMessage, LegacyMessage];
    const many = Array.from({ length: 65 }, () => MARKS.scrapers[0]);
    const instrument = { kind: 'counter', isObservable: false, help: '', unit: '', meter: 'm', owner: 'o' };
    for (const malformed of [
      { ...head, atMs: 'now' },
      { ...head, mark: -1 },
      { ...head, parts: 0.5 },
      { ...head, scrapers: many },
      { ...head, scrapers: [{ name: 'x'.repeat(2_000), mark: 1, former: 1 }] },
      { ...head, batches: [['member', -1]] },
      { ...head, batches: [['member']] },
      { ...head, instance: 'x'.repeat(36) },
      { ...head, instance: `${INSTANCE}0` },
      { ...head, instance: [INSTANCE] },
      { type: 'totals' },
      { type: 'totals', totals: [{ family: 'f', labels: [], series: [{ values: [], add: 1, arrival: 'a' }] }] },
      { type: 'totals', totals: [{ family: 'f_total', labels: [], instrument, series: [] }] },
    ]) {
      assert.throws(() => hubMessage(malformed), ProtocolError, JSON.stringify(malformed).slice(0, 200));
      assert.throws(() => memberMessage(malformed), ProtocolError);
    }
    const inbox = new LegacyInbox();
    assert.throws(() => inbox.add(part), /nobody has left/);
    inbox.add(head);
    for (let n = 0; n < 8; n++) inbox.add(part);
    assert.throws(() => inbox.add(part), /nobody has left/);
  });
});

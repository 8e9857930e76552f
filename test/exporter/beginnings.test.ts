/** What a scraper is shown of new series: where they began, once, and never a jump that did not happen. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { DataPoint } from '@opentelemetry/sdk-metrics';
import { Beginnings, isUnseen, type Scraper } from '../../src/exporter/beginnings';
import type { SeenFromStart } from '../../src/metrics/points';
import { hrTimeOf } from '../../src/runtime/hr-time';
import { Random } from '../support/random';

const START_MS = 1_000_000_000;
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const MAX_SCRAPERS = 64;
const RUNS = 200;

beforeEach(() => mock.timers.enable({ apis: ['Date'], now: START_MS }));
afterEach(() => mock.timers.reset());

const pass = (ms: number) => mock.timers.tick(ms);

interface TestScraper extends Scraper {
  connection: { destroyed: boolean };
}

function scraper(name = 'Prometheus'): TestScraper {
  return { name, connection: { destroyed: false } };
}

/** A service: series begin, are collected and shown. */
class Service {
  private marks = 0;
  readonly beginnings = new Beginnings();

  /** @param agoMs when it was recorded first, though nobody has collected it until now */
  begin(agoMs = 0): DataPoint<number> & SeenFromStart {
    const startTime = hrTimeOf(Date.now() - agoMs);
    return { startTime, endTime: startTime, attributes: {}, value: 1, arrival: this.marks };
  }

  /** @returns whether the series would be zero in a scrape now */
  peek(by: Scraper, point: DataPoint<number> & Partial<SeenFromStart>): boolean {
    const visit = this.beginnings.visit(by);
    return visit !== undefined && isUnseen(point, visit.unseen);
  }

  /** @returns whether the series is zero in this scrape */
  scrape(by: Scraper, point: DataPoint<number> & Partial<SeenFromStart>, isTaken = true): boolean {
    const mark = ++this.marks;
    const visit = this.beginnings.visit(by);
    if (isTaken) visit?.taken(mark);
    return visit !== undefined && isUnseen(point, visit.unseen);
  }
}

describe('a series that has begun', () => {
  it('is zero in the next scrape of each scraper, and true from then on', () => {
    const service = new Service();
    const [one, other] = [scraper('one'), scraper('other')];
    const old = service.begin(2 * MINUTE_MS);
    assert.equal(service.scrape(one, old), false);
    assert.equal(service.scrape(other, old), false);
    pass(15 * SECOND_MS);
    const point = service.begin(5 * SECOND_MS);
    assert.deepEqual(
      [one, other, one, other, one].map((by) => service.scrape(by, point)),
      [true, true, false, false, false],
    );
  });

  it('is told from two replicas on one machine by their connections', () => {
    const service = new Service();
    const [one, other] = [scraper(), scraper()];
    service.scrape(one, service.begin());
    service.scrape(other, service.begin());
    const point = service.begin();
    assert.deepEqual(
      [one, other, one, other].map((by) => service.scrape(by, point)),
      [true, true, false, false],
    );
  });

  it('stays zero for a scraper that did not take its answer whole', () => {
    const service = new Service();
    const by = scraper();
    service.scrape(by, service.begin());
    const point = service.begin();
    assert.deepEqual(
      [service.scrape(by, point, false), service.scrape(by, point), service.scrape(by, point)],
      [true, true, false],
    );
  });

  it('is true at once for a scraper that was away for more than five minutes, where it began before them', () => {
    const service = new Service();
    const by = scraper();
    service.scrape(by, service.begin());
    pass(MINUTE_MS);
    const early = service.begin();
    pass(9 * MINUTE_MS);
    const late = service.begin(MINUTE_MS);
    assert.equal(service.scrape(by, early), false);
    assert.equal(service.scrape(by, late), false, 'it has been here now');
    const again = new Service();
    again.scrape(by, again.begin());
    pass(10 * MINUTE_MS);
    assert.equal(again.scrape(by, again.begin(MINUTE_MS)), true);
  });

  it('is true at once at the first visit of a scraper, but for what began within the last minute', () => {
    const service = new Service();
    const old = service.begin(61 * SECOND_MS);
    const young = service.begin(59 * SECOND_MS);
    assert.equal(service.scrape(scraper('one'), old), false);
    assert.equal(service.scrape(scraper('other'), young), true);
  });

  it('is true at once where nobody saw it begin', () => {
    const service = new Service();
    const { arrival: _, ...point } = service.begin();
    assert.equal(service.scrape(scraper(), point), false);
  });
});

describe('a scraper', () => {
  it('that has lost its connection is the same when it comes again', () => {
    const service = new Service();
    const by = scraper();
    service.scrape(by, service.begin());
    const point = service.begin();
    assert.equal(service.scrape(by, point), true);
    by.connection.destroyed = true;
    assert.equal(service.scrape(scraper(), point), false);
  });

  it('that cannot be told from another one is shown no zero after the value, but where the series began once more', () => {
    const service = new Service();
    const [one, other] = [scraper(), scraper()];
    for (const by of [one, other]) service.scrape(by, service.begin());
    const seen = service.begin();
    for (let n = 0; n < 2; n++) service.scrape(other, seen);
    const point = service.begin();
    assert.equal(service.scrape(other, point), true);
    for (const by of [one, other]) by.connection.destroyed = true;
    const [first, second] = [scraper(), scraper()];
    const shown = (point: ReturnType<Service['begin']>) => [first, second].map((by) => service.peek(by, point));
    assert.deepEqual(shown(seen), [false, false]);
    assert.deepEqual(shown(point), [true, true], 'one of them does not know it');
    for (const by of [first, second]) service.scrape(by, point);
    assert.deepEqual(shown(point), [false, false]);
  });

  it('that was forgotten among many is not taken for a new one', () => {
    const service = new Service();
    const by = scraper();
    service.scrape(by, service.begin());
    const point = service.begin();
    assert.equal(service.scrape(by, point), true);
    for (let n = 0; n < MAX_SCRAPERS; n++) service.scrape(scraper(`${n}`), point);
    assert.equal(service.scrape(by, point), false);
    pass(MINUTE_MS + 1);
    assert.equal(service.scrape(scraper('new'), service.begin()), true);
  });

  it(`sees each series fall to zero never, and rise from zero, in ${RUNS} random runs`, () => {
    for (let seed = 1; seed <= RUNS; seed++) {
      const random = new Random(seed);
      const service = new Service();
      const points: (DataPoint<number> & SeenFromStart)[] = [];
      const scrapers = Array.from({ length: 3 }, (_, n) => ({ by: scraper(`${n % 2}`), seen: new Set<object>() }));
      for (let step = 0; step < 60; step++) {
        pass(random.below(20 * SECOND_MS));
        if (random.once(2)) points.push(service.begin(random.below(10 * SECOND_MS)));
        const { by, seen } = random.pick(scrapers);
        if (random.once(10)) {
          // one that gave up has another connection before its last one is closed
          by.connection.destroyed = !random.once(3);
          by.connection = { destroyed: false };
        }
        const isTaken = !random.once(5);
        for (const point of points) {
          // one scrape shows all series
          assert.ok(!(service.peek(by, point) && seen.has(point)), `seed ${seed}`);
        }
        const shown = points.filter((point) => !service.peek(by, point));
        service.scrape(by, service.begin(), isTaken);
        if (isTaken) for (const point of shown) seen.add(point);
      }
    }
  });
});

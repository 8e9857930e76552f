/**
 * Eight faults of real programs raise the alert that is theirs and no other; a quiet time and a rolling replacement none.
 *
 * The rules are those of ops/ with a minute shortened to a second. Each fault has a service of its own, so that all are
 * brought about in the same seconds.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { findDebianProgram, reportNotRun } from '../../support/debian';
import { type Observed, ownFolder, PROMETHEUS, scaledRules, startObserved, targetOf } from '../../support/operations';
import { Prometheus } from '../../support/prometheus';
import { ask, until } from '../../support/service';

/** Shorter than a minute would allow, and longer than the half second for which a hub waits for a member that hangs. */
const SCRAPE_EVERY = '1s';
/** A code is new only where half an hour, now of seconds, was without it. */
const QUIET_MS = 33_000;
/** The slowest alert needs five minutes of its window and five of "for". */
const FAULT_LIMIT_MS = 40_000;
/** After all have fired: whatever else would follow from the faults. */
const AFTERWARDS_MS = 8_000;
const REPLACEMENTS = 3;
/** So that each is seen by scrapes before and after it. */
const REPLACE_EVERY_MS = 4_000;
const SLOW_MS = 2_600;
/** More than the limit of distinct values of a label. */
const CALLERS = 230;

interface Fault {
  readonly alerts: readonly string[];
  /** Of a cluster; default: one process. */
  readonly workers?: number;
  bringAbout(service: Observed): Promise<unknown>;
}

/** The worker that began last; its port is that of all. */
async function newestWorker({ service }: Observed): Promise<number> {
  return ((await service.ready(1)).at(-1) as { pid: number }).pid;
}

/** Sends requests of many callers, a few at a time. */
async function sendAsManyCallers({ port }: Observed): Promise<void> {
  for (let n = 0; n < CALLERS; n += 10) {
    const some = Array.from({ length: 10 }, (_, index) => ({ 'user-agent': `caller-${n + index}` }));
    await Promise.all(
      some.map(async (headers) => (await fetch(`http://127.0.0.1:${port}/free/x`, { headers })).text()),
    );
  }
}

const FAULTS: Readonly<Record<string, Fault>> = {
  'a partner is down': {
    alerts: ['ChannelPartnerDown 12'],
    bringAbout: ({ partner }) => partner.close(),
  },
  'a partner is slow': {
    alerts: ['ChannelPartnerSlow 12'],
    bringAbout: async ({ partner }) => {
      partner.delayMs = SLOW_MS;
    },
  },
  'codes are new': {
    alerts: ['ChannelNewErrorCode E1', 'ChannelNewErrorCode E2 12'],
    bringAbout: async ({ port, partner }) => {
      // once: the first occurrence is enough
      await ask(port, '/orders/7?code=E1');
      partner.code = 'E2';
      await ask(port, '/call');
      partner.code = '0';
    },
  },
  'a consumer fails': {
    alerts: ['ChannelConsumerFailing orders'],
    bringAbout: async (service) => {
      service.paths = ['/orders/7', '/call', '/consume', '/consume?result=1'];
    },
  },
  'a service is gone': {
    alerts: ['ChannelServiceGone'],
    bringAbout: ({ service }) => service.stop(),
  },
  'an event loop is blocked again and again': {
    alerts: ['ChannelEventLoopBlocked'],
    workers: 2,
    bringAbout: (service) => {
      // a call that waits for the loop is a slow partner as well
      service.paths = [];
      return ask(service.port, '/caught');
    },
  },
  'a worker hangs': {
    alerts: ['ChannelEventLoopBlocked'],
    workers: 2,
    bringAbout: async (service) => {
      service.paths = [];
      process.kill(await newestWorker(service), 'SIGSTOP');
    },
  },
  'a worker is killed': {
    alerts: ['ChannelWorkerKilled'],
    workers: 2,
    bringAbout: async (service) => process.kill(await newestWorker(service), 'SIGKILL'),
  },
  'a label is full': {
    alerts: ['ChannelLabelOverflow f_code'],
    bringAbout: sendAsManyCallers,
  },
};

const syscodeOf = (index: number) => `A${String(index).padStart(9, '0')}`;

describe('the alerts', () => {
  const folder = ownFolder();
  const services: Observed[] = [];
  let missing = '';
  let prometheus: Prometheus | undefined;
  let quiet: Observed | undefined;

  before(async () => {
    const found = await findDebianProgram(PROMETHEUS);
    if ('missing' in found) {
      missing = found.missing;
      return;
    }
    const workers = [2, ...Object.values(FAULTS).map((fault) => fault.workers)];
    services.push(...(await Promise.all(workers.map((count, index) => startObserved(syscodeOf(index), count)))));
    quiet = services[0];
    const targets = Object.fromEntries(services.map(targetOf));
    prometheus = await Prometheus.start(found.path, targets, SCRAPE_EVERY, { rules: scaledRules(folder.path) });
  });
  after(async () => {
    await prometheus?.stop();
    await Promise.all(services.map((each) => each.end()));
    folder.remove();
  });

  /** Alerts that have fired until now, by system code, with what they name. */
  async function fired(): Promise<Map<string, string[]>> {
    const rows = (await prometheus?.query('last_over_time(ALERTS{alertstate="firing"}[1h])')) ?? [];
    const all = new Map<string, string[]>();
    for (const { labels } of rows) {
      const { alertname = '', application = '', code, partner, topic, label } = labels;
      const text = [alertname, code, partner, topic, label].filter((each) => each !== undefined).join(' ');
      all.set(application, [...(all.get(application) ?? []), text].sort());
    }
    return all;
  }

  it('are silent in a quiet time, and while workers are replaced', async (t) => {
    if (prometheus === undefined || quiet === undefined) return reportNotRun(t, missing);
    const present = 'count(count by (application) (application_instance:channel_exporter:present))';
    await prometheus.when(
      'all services have been seen',
      async () => (await prometheus?.query(present))?.[0]?.value === services.length,
    );
    const beganMs = Date.now();
    for (let n = 1; n <= REPLACEMENTS; n++) {
      await pause(REPLACE_EVERY_MS);
      quiet.service.child.kill('SIGHUP');
      await quiet.service.ready(2 + n);
      await quiet.world.scrapeWhen(({ samples }) =>
        samples.some(
          ({ name, labels, value }) => name === 'channel_exporter_processes' && labels.state === 'gone' && value === n,
        ),
      );
    }
    await pause(beganMs + QUIET_MS - Date.now());
    assert.deepEqual(await prometheus.faultyRules(), []);
    assert.deepEqual([...(await fired())], []);
    const known = await prometheus.query('{__name__=~".+:seen1d", code="0"}');
    assert.equal(known.length, 2 * services.length, 'codes of services and of partners');
  });

  it('each fire for their fault, and for nothing else', async (t) => {
    if (prometheus === undefined) return reportNotRun(t, missing);
    const faults = Object.values(FAULTS);
    await Promise.all(faults.map((fault, index) => fault.bringAbout(services[index + 1] as Observed)));
    const expected = new Map(faults.map(({ alerts }, index) => [syscodeOf(index + 1), [...alerts]]));
    let seen = await fired();
    await until(
      async () => {
        seen = await fired();
        return [...expected].every(([syscode, alerts]) => alerts.every((alert) => seen.get(syscode)?.includes(alert)));
      },
      () => JSON.stringify([...seen]),
      FAULT_LIMIT_MS,
    );
    await pause(AFTERWARDS_MS);
    seen = await fired();
    for (const [index, title] of Object.keys(FAULTS).entries()) {
      const syscode = syscodeOf(index + 1);
      assert.deepEqual(seen.get(syscode), expected.get(syscode), title);
    }
    assert.equal(seen.size, expected.size, `${[...seen]}`);
  });
});

/** What tests of consumed messages share: programs that consume, told over HTTP what to do. */
import assert from 'node:assert/strict';
import { type App, type AppOptions, runApp, SYSCODE } from './app';
import type { Metrics } from './metrics';

export const CONSUMER = `${SYSCODE}_consumer_metrics`;

/** Counts of one topic. */
export interface Outcome {
  readonly success: number;
  readonly failure: number;
}

export interface ConsumerApp extends App {
  /** Runs one of the program's commands and gives what it answers. */
  command<Answer = unknown>(name: string): Promise<Answer>;
}

export async function runConsumer(script: string, options: AppOptions = {}): Promise<ConsumerApp> {
  const app = await runApp(script, options);
  return Object.assign(app, {
    async command(name: string) {
      const response = await fetch(`http://127.0.0.1:${app.port}/${name}`);
      const text = await response.text();
      assert.equal(response.status, 200, `${name}: ${text}`);
      return JSON.parse(text);
    },
  });
}

/** What a scrape says of a topic; every label is checked. */
export function outcome(metrics: Metrics, topic: string): Outcome {
  const counts = { success: 0, failure: 0 };
  for (const { labels, count } of metrics.counts(CONSUMER)) {
    if (labels.topic !== topic) continue;
    const { code, ...rest } = labels;
    assert.deepEqual(rest, { appid: SYSCODE.slice(0, 4), application: SYSCODE, f_code: '', topic });
    assert.ok(code === '0' || code === '1', `a code: ${code}`);
    counts[code === '0' ? 'success' : 'failure'] += count;
  }
  return counts;
}

/** Waits until a topic's counts are these; they stay these as long as nothing else is sent. */
export async function outcomeIs(app: App, topic: string, expected: Outcome, limitMs = 10_000): Promise<void> {
  let last: Outcome | undefined;
  const isThere = (metrics: Metrics) => {
    last = outcome(metrics, topic);
    return last.success + last.failure >= expected.success + expected.failure;
  };
  await app.metricsWhen(isThere, limitMs).catch(() => undefined);
  assert.deepEqual(last, expected);
}

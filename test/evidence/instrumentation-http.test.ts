/**
 * Why partner calls are not measured by the hooks of @opentelemetry/instrumentation-http: what it does to a call, shown
 * on the installed version. Should one of these fail with a later version, that reason has gone.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { environment, nodeBinary } from '../support/app';
import { FIXTURES, ROOT } from '../support/paths';

interface Seen {
  /** Header lines that the partner received, without Host and Connection. */
  readonly headers: readonly string[];
  /** Calls that each copy's request hook was shown. */
  readonly hookCalls: readonly number[];
}

const TRACE = 'a'.repeat(32);
/** Of the span that is active in the application. */
const ACTIVE = `traceparent: 00-${TRACE}-${'1'.repeat(16)}-01`;
/** That the application has set itself, for a span of its own. */
const OWN = `traceparent: 00-${TRACE}-${'2'.repeat(16)}-01`;

/** One call, without the instrumentation, and with one copy of it. */
const CALLS = [
  {
    name: 'header array',
    title: 'sends a header array as an object whose names are its indices',
    without: ['X-Twice: 1', 'X-Twice: 2'],
    with: ['0: X-Twice', '1: 1', '2: X-Twice', '3: 2'],
  },
  {
    name: 'propagator and an active span',
    title: 'adds a traceparent that the application did not ask for',
    without: [],
    with: [ACTIVE],
  },
  {
    name: 'a traceparent of its own',
    title: 'replaces the traceparent of the application',
    without: [OWN],
    with: [ACTIVE],
  },
  {
    name: 'propagator',
    title: 'adds nothing where no span is active',
    without: [],
    with: [],
  },
];

describe('@opentelemetry/instrumentation-http, with a tracer that does nothing', () => {
  for (const { name, title, ...headers } of CALLS) {
    it(title, () => {
      assert.deepEqual(call(name, 0), { headers: headers.without, hookCalls: [] });
      assert.deepEqual(call(name, 1), { headers: headers.with, hookCalls: [1] });
    });
  }

  it('sees no call any more when a second copy has patched', () => {
    assert.deepEqual(call('plain', 2).hookCalls, [0, 1]);
  });
});

function call(name: string, copies: number): Seen {
  const script = join(FIXTURES, 'apps/instrumentation-http.js');
  const options = { cwd: ROOT, env: environment(), encoding: 'utf8' } as const;
  return JSON.parse(execFileSync(nodeBinary(), [script, name, String(copies)], options));
}

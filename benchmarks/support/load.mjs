/**
 * The two kinds of load, both by undici with one request at a time on each connection.
 *
 * Not by autocannon: its rate option sends a second's requests in one burst at the start of that second.
 */
import { createHistogram } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Client, Pool } from 'undici7';
import { keepAwake } from './awake.js';

export const CONNECTIONS = 10;
const OPEN_CONNECTIONS = 100;
const HEADERS = { 'user-agent': 'C001', accept: 'application/json' };
const NS_PER_MS = 1e6;

/**
 * Closed loop: each connection sends its next request when it has its answer, until so many were answered.
 * @returns {Promise<number>} seconds from the first request to the last answer
 * @throws when an answer is not 200 or a connection breaks
 */
export async function driveClosed(origin, path, requests, headers = {}) {
  const clients = Array.from({ length: Math.min(CONNECTIONS, requests) }, () => new Client(origin));
  const options = { path, method: 'GET', headers: { ...HEADERS, ...headers } };
  let unsent = requests;
  let unanswered = requests;
  const letSleep = keepAwake();
  const startedMs = performance.now();
  await new Promise((resolve, reject) => {
    for (const client of clients) {
      const next = () => {
        if (unsent-- > 0) client.dispatch(options, handler);
      };
      const handler = answerHandler(reject, () => {
        if (--unanswered === 0) resolve();
        next();
      });
      next();
    }
  }).finally(letSleep);
  const seconds = (performance.now() - startedMs) / 1000;
  await Promise.all(clients.map((client) => client.close()));
  return seconds;
}

/**
 * Open loop: requests are due at even distances, whether or not earlier ones have been answered, and each one's
 * latency counts from when it was due. A server that stalls so pays for every request that came meanwhile.
 * @param {number} unrecorded how many at the start are not in the histogram, while connections are opened
 * @returns a histogram of latencies in nanoseconds
 */
export async function driveOpen(origin, path, perSecond, requests, unrecorded) {
  const pool = new Pool(origin, { connections: OPEN_CONNECTIONS });
  const options = { path, method: 'GET', headers: HEADERS };
  const latencies = createHistogram();
  let unanswered = requests;
  await new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const send = (dueMs, isRecorded) => {
      const answered = () => {
        if (isRecorded) latencies.record(Math.max(1, Math.round((performance.now() - dueMs) * NS_PER_MS)));
        if (--unanswered === 0) resolve();
      };
      pool.dispatch(options, answerHandler(reject, answered));
    };
    const sendDue = async () => {
      // a timer would be late by up to a millisecond
      for (let sent = 0; sent < requests; await nextTurn()) {
        for (; sent < requests; sent++) {
          const dueMs = startedMs + (sent * 1000) / perSecond;
          if (dueMs > performance.now()) break;
          send(dueMs, sent >= unrecorded);
        }
      }
    };
    sendDue().catch(reject);
  });
  await pool.close();
  return latencies;
}

function answerHandler(onFault, onAnswered) {
  return {
    onRequestStart() {},
    onResponseStart(_controller, status) {
      if (status !== 200) onFault(new Error(`answered with ${status}`));
    },
    onResponseData() {},
    onResponseEnd: onAnswered,
    onResponseError: (_controller, error) => onFault(error),
  };
}

/** Node's own fetch as partner calls, on every release line. */
import { describe } from 'node:test';
import { type Case, OUTCOMES } from '../../support/client-cases';
import { describeOnLines } from '../../support/client-tests';
import { linesInTitle } from '../../support/node-versions';

const CASES: readonly Case[] = [
  ...OUTCOMES,
  { title: 'a status 000, which it refuses', path: '/status-000', expect: [' 0 -1', ' other'] },
  { title: 'redirects, every hop its own exchange', path: '/redirect', expect: ['j 200 A1', 'r 302 R1', 's 303 -1'] },
  { title: 'a redirect not followed', path: '/redirect', order: { redirect: 'manual' }, expect: ['r 302 R1'] },
  { title: 'a peer with an unknown certificate', to: 'https', path: '/json', expect: ['j 0 -1', 'j tls'] },
];

describe(`fetch on ${linesInTitle}`, () => {
  describeOnLines('fetch', 'fetch', ({ itRecords, itCountsMixed }) => {
    for (const each of CASES) itRecords(each, { api: 'fetch' });
    itCountsMixed(['fetch']);
  });
});

/**
 * Messages of Amazon SQS by the real client and its real SDK, from an HTTP server that speaks as much of the JSON protocol
 * of SQS as they need: a double. They are installed in a temporary folder: the SDK is too big to lie among the project's
 * own packages.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { after, before, it } from 'node:test';
import { outcomeIs, runConsumer } from '../../support/consumers';
import { reportNotRun } from '../../support/debian';
import { FIXTURES } from '../../support/paths';
import { PRELOAD_PATH } from '../../support/service';

const PACKAGE = {
  private: true,
  dependencies: {
    '@aws-sdk/client-sqs': '3.1169.0',
    'sqs-consumer': '15.0.3',
    'sqs-consumer11': 'npm:sqs-consumer@11.6.0',
  },
};
const LIMIT_MS = 240_000;
/** What the client asks for when it is done with the queues `orders` and `kept`. */
const ORDERS = [
  'ChangeMessageVisibility hang',
  'ChangeMessageVisibility pass!',
  'ChangeMessageVisibility throw',
  'ChangeMessageVisibility throw',
  'ChangeMessageVisibility throw!',
  'DeleteMessage pass',
  'DeleteMessage pass',
  'DeleteMessage pass!',
];

/** What differs between versions: until 13 a message that the handler does not return is deleted as well. */
interface Version {
  readonly title: string;
  readonly module: string;
  readonly deletesWhatIsNotReturned: boolean;
  /** Whether it looks at what a deletion of several says of each. */
  readonly seesRefusals: boolean;
}

const VERSIONS: readonly Version[] = [
  { title: 'sqs-consumer 15', module: 'sqs-consumer', deletesWhatIsNotReturned: false, seesRefusals: true },
  { title: 'sqs-consumer 11', module: 'sqs-consumer11', deletesWhatIsNotReturned: true, seesRefusals: false },
];

interface Asked {
  readonly QueueUrl: string;
  readonly MaxNumberOfMessages?: number;
  readonly ReceiptHandle?: string;
  readonly Entries?: readonly { readonly Id: string; readonly ReceiptHandle: string }[];
}

interface Sqs {
  readonly url: string;
  /** Bodies that wait, by queue; each is delivered once. */
  readonly queues: Record<string, string[]>;
  /** Operations and bodies, as `DeleteMessage pass`. */
  readonly answers: string[];
  stop(): void;
}

/** A message whose body has an `!` cannot be deleted, nor be given back. */
async function startSqs(queues: Record<string, string[]>): Promise<Sqs> {
  const answers: string[] = [];
  const isRefused = (handle = '') => handle.includes('!');
  const operations: Record<string, (asked: Asked) => object | undefined> = {
    ReceiveMessage({ QueueUrl, MaxNumberOfMessages = 1 }) {
      const bodies = queues[QueueUrl.split('/').at(-1) ?? '']?.splice(0, MaxNumberOfMessages) ?? [];
      const Messages = bodies.map((Body, i) => ({
        MessageId: `${Body}-${i}`,
        ReceiptHandle: Body,
        Body,
        MD5OfBody: createHash('md5').update(Body).digest('hex'),
      }));
      return Messages.length === 0 ? {} : { Messages };
    },
    DeleteMessage: ({ ReceiptHandle }) => (isRefused(ReceiptHandle) ? undefined : {}),
    ChangeMessageVisibility: ({ ReceiptHandle }) => (isRefused(ReceiptHandle) ? undefined : {}),
    DeleteMessageBatch({ Entries = [] }) {
      const Failed = Entries.filter((entry) => isRefused(entry.ReceiptHandle));
      const Successful = Entries.filter((entry) => !isRefused(entry.ReceiptHandle));
      return { Successful, Failed: Failed.map(({ Id }) => ({ Id, SenderFault: true, Code: 'Refused' })) };
    },
    ChangeMessageVisibilityBatch: ({ Entries = [] }) => ({ Successful: Entries, Failed: [] }),
  };
  const server: Server = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).replace('AmazonSQS.', '');
    const asked = (await json(request)) as Asked;
    if (operation !== 'ReceiveMessage') {
      const handles = asked.Entries?.map(({ ReceiptHandle }) => ReceiptHandle) ?? [asked.ReceiptHandle];
      answers.push(`${operation} ${handles.join(' ')}`);
    }
    const answer = operations[operation]?.(asked);
    response.writeHead(answer === undefined ? 400 : 200, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify(answer ?? { __type: 'com.amazonaws.sqs#ReceiptHandleIsInvalid', message: 'refused' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    queues,
    answers,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-sqs-'));
after(() => rmSync(folder, { recursive: true, force: true }));
/** Why the client is not here; undefined when it is. */
let missing: string | undefined;

before(() => {
  cpSync(join(FIXTURES, 'jobs'), folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify(PACKAGE));
  const args = ['install', '--no-audit', '--no-fund', '--prefer-offline'];
  const { status, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8', timeout: LIMIT_MS });
  if (status !== 0) missing = `sqs-consumer could not be installed: ${stderr}`;
});

for (const { title, module, deletesWhatIsNotReturned, seesRefusals } of VERSIONS) {
  for (const [system, script] of [
    ['CommonJS', 'cjs.js'],
    ['an ES module', 'esm.mjs'],
  ] as const) {
    it(`messages and batches of ${title} in ${system} count once, by their deletion`, async (test) => {
      if (missing !== undefined) return reportNotRun(test, missing);
      const sqs = await startSqs({
        orders: ['pass', 'throw', 'pass', 'keep', 'pass!', 'throw!', 'hang'],
        kept: ['pass', 'throw', 'keep'],
        batches: [],
      });
      const args = ['sqs-consumer', module, '@aws-sdk/client-sqs'];
      const env = { SQS_URL: sqs.url };
      const app = await runConsumer(join(folder, script), { args, env, cwd: folder, nodeArgs: ['-r', PRELOAD_PATH] });
      try {
        const more = deletesWhatIsNotReturned ? 1 : 0;
        // deleted; thrown, not deleted, thrown and not given back, out of time, and not returned
        await outcomeIs(app, 'orders', { success: 2 + more, failure: 5 - more });
        await outcomeIs(app, 'kept', { success: 1 + more, failure: 2 - more });
        const batches = [['pass', 'pass'], ['pass', 'keep'], ['pass', 'throw'], ['pass', 'pass!'], ['keep'], ['pass']];
        const counts = { success: 0, failure: 0 };
        for (const batch of batches) {
          sqs.queues.batches?.push(...batch);
          const isWhole = batch.every((body) => body === 'pass' || (body === 'pass!' && !seesRefusals));
          counts[isWhole ? 'success' : 'failure']++;
          await outcomeIs(app, 'batches', counts);
        }
        // what the client does is what it does without the exporter
        const errors = await app.command<string[]>('errors');
        assert.equal(errors.filter((text) => /visibility timeout/.test(text)).length, 2, errors.join('\n'));
        const expected = deletesWhatIsNotReturned ? [...ORDERS, 'DeleteMessage keep'].sort() : ORDERS;
        assert.deepEqual(sqs.answers.filter((text) => !text.includes('Batch')).sort(), expected);
      } finally {
        await app.stop();
        sqs.stop();
      }
    });
  }
}

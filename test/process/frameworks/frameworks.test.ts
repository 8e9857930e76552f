/**
 * One program for each framework, version and module system, asked the same things: what is counted is compared whole,
 * and what the client gets is compared with the same program without the exporter.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type App, INNER, runApp } from '../../support/app';
import type { Labels } from '../../support/metrics';

interface Case {
  readonly title: string;
  /** Method and path. */
  readonly request: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly status: number;
  /** The answer's JSON; not compared where it is left out. */
  readonly answer?: unknown;
  /** Template in the syntax of Express; undefined: not recorded. */
  readonly path?: string;
  readonly code?: string;
  readonly methodCode?: string;
  /** Of one that is not recorded: what it is counted as. Default: no route. */
  readonly reason?: 'no_route' | 'not_found' | 'ignored';
}

interface Framework {
  readonly title: string;
  /** Folder of the program, and what it is given to load. */
  readonly args: readonly string[];
  /** Where the program has a path of the table, and how its framework writes a template. */
  readonly locate?: (path: string) => string;
  readonly syntax?: (template: string) => string;
  /** The wildcard at the end of a template. */
  readonly wildcard: string;
  /** `path` of an answer that comes before the router in some frameworks. */
  readonly stoppedFirst: 'matched' | 'concrete';
  /** `code` of the framework's own answer to an error. */
  readonly errorCode: '' | '-1';
  /** `code` of HEAD, where a framework hands Node the body that it leaves out. Default: none. */
  readonly headCode?: string;
  /** What the application sees of a multipart body. */
  readonly multipart: 'parsed' | 'raw';
  /** Whether the program has a handler for what no route matches. */
  readonly hasNotFoundHandler: boolean;
  /** What a 404 under the prefix of a middleware is: NestJS makes a route of Express for that, which hands on. */
  readonly underMiddleware?: 'not_found';
  readonly also?: readonly Case[];
}

const BOUNDARY = 'frontier';
const MULTIPART = [
  ...['method_code', 'a'].map((name, i) => {
    const value = ['M1', '1'][i];
    return `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  }),
  `--${BOUNDARY}--\r\n`,
].join('');

function casesOf({
  stoppedFirst,
  errorCode,
  multipart,
  wildcard,
  hasNotFoundHandler,
  underMiddleware,
  headCode = '-1',
  also = [],
}: Framework): Case[] {
  const user = '/api/users/:id';
  const json = { 'content-type': 'application/json' };
  const reason = underMiddleware ?? 'no_route';
  return [
    { title: 'no route', request: 'GET /missing', status: 404 },
    { title: 'no route under a prefix of others', request: 'GET /api/missing/none', status: 404, reason },
    { title: 'the same by another method', request: 'DELETE /api/missing/none', status: 404, reason },
    { title: 'an ignored path', request: 'GET /healthcheck', status: 404, reason: 'ignored' },
    { title: 'a static route', request: 'GET /plain', status: 200, path: '/plain', code: '-1' },
    { title: 'a parameter', request: 'GET /api/users/17', status: 200, path: user, code: '0000' },
    { title: 'another value of it', request: 'GET /api/users/18?a=b', status: 200, path: user, code: '0000' },
    { title: 'HEAD', request: 'HEAD /api/users/17', status: 200, path: user, code: headCode },
    {
      title: 'prefixes with a parameter',
      request: 'GET /api/nested/x/items/y',
      status: 200,
      path: '/api/nested/:a/items/:b',
      code: '0',
    },
    { title: 'a wildcard', request: 'GET /files/a/b%20c', status: 200, path: `/files/${wildcard}`, code: '0' },
    { title: 'a thrown error', request: 'GET /api/throw/1', status: 500, path: '/api/throw/:id', code: errorCode },
    { title: 'a rejection', request: 'GET /api/reject/1', status: 500, path: '/api/reject/:id', code: errorCode },
    {
      title: 'an error handler',
      request: 'GET /api/nested/x/fail/y',
      status: 502,
      path: '/api/nested/:a/fail/:b',
      code: 'E502',
    },
    {
      title: 'an answer from the first hook or middleware',
      request: 'GET /api/users/17',
      headers: { 'x-stop': 'first' },
      status: 403,
      path: stoppedFirst === 'matched' ? user : '/api/users/17',
      code: 'FIRST',
    },
    {
      title: 'an answer from a hook or middleware of the route',
      request: 'GET /api/users/17',
      headers: { 'x-stop': 'second' },
      status: 401,
      path: user,
      code: 'SECOND',
    },
    hasNotFoundHandler
      ? {
          title: 'a handler of no route',
          request: 'GET /soft-missing',
          status: 200,
          path: '/soft-missing',
          code: 'SOFT',
        }
      : { title: 'no route either', request: 'GET /soft-missing', status: 404 },
    { title: 'a stream', request: 'GET /api/stream/1', status: 200, path: '/api/stream/:id', code: 'S1' },
    {
      title: 'method_code in the query',
      request: 'GET /api/echo?method_code=Q1',
      status: 200,
      path: '/api/echo',
      code: '0',
      methodCode: 'Q1',
    },
    {
      title: 'method_code in a form',
      request: 'POST /api/echo',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'method_code=F1&a=1',
      status: 200,
      answer: { code: '0', body: { method_code: 'F1', a: '1' } },
      path: '/api/echo',
      code: '0',
      methodCode: 'F1',
    },
    {
      title: 'method_code in a multipart form',
      request: 'POST /api/echo',
      headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
      body: MULTIPART,
      status: 200,
      answer: { code: '0', body: multipart === 'parsed' ? { method_code: 'M1', a: '1' } : MULTIPART },
      path: '/api/echo',
      code: '0',
      methodCode: 'M1',
    },
    {
      title: 'method_code in JSON',
      request: 'POST /api/echo',
      headers: json,
      body: '{"data":{"method_code":"J1"},"a":[1,null]}',
      status: 200,
      answer: { code: '0', body: { data: { method_code: 'J1' }, a: [1, null] } },
      path: '/api/echo',
      code: '0',
      methodCode: 'J1',
    },
    ...also,
  ];
}

const FASTIFY = {
  wildcard: '*',
  stoppedFirst: 'matched',
  errorCode: '',
  multipart: 'parsed',
  hasNotFoundHandler: true,
  also: [{ title: 'a handler that finds nothing', request: 'GET /api/gone/1', status: 404, reason: 'not_found' }],
} as const;
const KOA = {
  wildcard: '*path',
  stoppedFirst: 'concrete',
  errorCode: '-1',
  multipart: 'raw',
  hasNotFoundHandler: true,
  also: [
    {
      title: 'mounted applications',
      request: 'GET /outer/inner/things/3',
      status: 200,
      path: '/outer/inner/things/:id',
      code: '0',
    },
    {
      title: 'a route that hands on to the next',
      request: 'GET /api/users/me',
      status: 200,
      path: '/api/users/:id',
      code: '0000',
    },
    { title: 'the root of one', request: 'GET /outer/inner', status: 200, path: '/outer/inner', code: '0' },
    { title: 'a mount without a route', request: 'GET /assets/17', status: 200, path: '/assets/*', code: 'ASSET' },
    { title: 'its root', request: 'GET /assets', status: 200, path: '/assets/*', code: 'ASSET' },
    { title: 'one in another', request: 'GET /outer/files/17', status: 200, path: '/outer/files/*', code: 'FILE' },
    { title: 'the one around it', request: 'GET /outer/files/passes', status: 200, path: '/outer/*', code: 'OUTER' },
    {
      title: 'the second of two mounts',
      request: 'GET /assets/passes/17',
      status: 200,
      path: '/assets/passes/*',
      code: 'ASSET',
    },
    {
      title: 'what a mount passes on',
      request: 'GET /assets/soft-missing',
      status: 200,
      path: '/assets/soft-missing',
      code: 'SOFT',
    },
    {
      title: 'an answer of node:http in it',
      request: 'GET /assets/raw/1',
      status: 200,
      path: '/assets/*',
      code: 'RAW',
    },
    { title: 'a status alone', request: 'GET /assets/status/1', status: 204, path: '/assets/*', code: '-1' },
    { title: 'an error in it', request: 'GET /assets/fails/1', status: 500, path: '/assets/fails/1', code: '-1' },
    { title: 'a 404 of it', request: 'GET /assets/gone/1', status: 404 },
  ],
} as const;
const HONO = {
  wildcard: '*',
  stoppedFirst: 'matched',
  errorCode: '-1',
  multipart: 'parsed',
  hasNotFoundHandler: true,
  also: [
    { title: 'a handler that finds nothing', request: 'GET /api/gone/1', status: 404, reason: 'not_found' },
    {
      title: 'a route that hands on to the next',
      request: 'GET /api/users/me',
      status: 200,
      path: '/api/users/:id',
      code: '0000',
    },
    {
      title: 'mounted applications',
      request: 'GET /outer/inner/things/3',
      status: 200,
      path: '/outer/inner/things/:id',
      code: '0',
    },
    { title: 'the root of one', request: 'GET /outer/inner', status: 200, path: '/outer/inner', code: '0' },
    { title: 'a mounted handler', request: 'GET /other/a/3', status: 200, path: '/other/*', code: '0' },
    { title: 'a base path', request: 'GET /based/3', status: 200, path: '/based/:id', code: '0' },
    { title: 'a request in the process', request: 'GET /asking/3', status: 200, path: '/asking/:id', code: '0' },
  ],
} as const;
const H3 = {
  wildcard: '**',
  multipart: 'parsed',
  hasNotFoundHandler: true,
} as const;
const H3_ALSO = [
  { title: 'a handler that finds nothing', request: 'GET /api/gone/1', status: 404, reason: 'not_found' },
  {
    title: 'routers by `useBase` or `withBase`',
    request: 'GET /outer/inner/things/3',
    status: 200,
    path: '/outer/inner/things/:id',
    code: '0',
  },
  { title: 'the root of one', request: 'GET /api', status: 200, path: '/api', code: '0' },
] as const;
const NEST = {
  locate: (path: string) => path.replace('/api/nested', '/api/v2/nested').replace(/\/api\/(?!v2)/, '/api/v1/'),
  stoppedFirst: 'matched',
  errorCode: '',
  hasNotFoundHandler: false,
} as const;
const FRAMEWORKS: readonly Framework[] = [
  { title: 'Fastify 5', args: ['fastify', 'fastify', '@fastify/formbody', '@fastify/multipart'], ...FASTIFY },
  { title: 'Fastify 4', args: ['fastify', 'fastify4', 'fastify4-formbody', 'fastify4-multipart'], ...FASTIFY },
  { title: 'Koa 3', args: ['koa', 'koa', '@koa/router', '@koa/bodyparser', 'koa-mount'], ...KOA },
  { title: 'Koa 2', args: ['koa', 'koa2', '@koa/router', '@koa/bodyparser', 'koa-mount'], ...KOA },
  {
    title: 'Hapi 21',
    args: ['hapi', '@hapi/hapi'],
    syntax: (template) => template.replace(/:(\w+)/g, '{$1}'),
    wildcard: '{path*}',
    stoppedFirst: 'concrete',
    errorCode: '',
    multipart: 'parsed',
    hasNotFoundHandler: true,
  },
  { title: 'Hono 4', args: ['hono', 'hono', '@hono/node-server'], ...HONO },
  { title: 'Hono 3', args: ['hono', 'hono3', 'hono-node-server1'], ...HONO },
  {
    title: 'h3 2',
    args: ['h3', 'h3'],
    ...H3,
    stoppedFirst: 'matched',
    errorCode: '',
    also: [
      ...H3_ALSO,
      {
        title: 'an application by its `fetch`',
        request: 'GET /fetched/things/3',
        status: 200,
        path: '/fetched/things/:id',
        code: '0',
      },
    ],
  },
  {
    title: 'h3 1',
    args: ['h3-1', 'old-h3'],
    ...H3,
    stoppedFirst: 'concrete',
    errorCode: '',
    headCode: '0000',
    also: H3_ALSO,
  },
  {
    title: 'NestJS on Express',
    args: ['nest', '@nestjs/common', '@nestjs/core', '@nestjs/platform-express'],
    wildcard: '*path',
    multipart: 'raw',
    underMiddleware: 'not_found',
    ...NEST,
  },
  {
    title: 'NestJS on Fastify',
    args: ['nest', '@nestjs/common', '@nestjs/core', '@nestjs/platform-fastify', '@fastify/multipart'],
    wildcard: '*',
    multipart: 'parsed',
    ...NEST,
  },
];
const MODULE_SYSTEMS = { CommonJS: 'cjs.js', ESM: 'esm.mjs' } as const;
const USER_AGENT = 'table';
const UNRECORDED = 'channel_exporter_unrecorded_requests_total';

interface Answer {
  readonly title: string;
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

/** Asks everything, in order. */
async function ask({ port }: App, framework: Framework): Promise<Answer[]> {
  const { locate = (path) => path } = framework;
  const answers: Answer[] = [];
  for (const { title, request, headers, body = null } of casesOf(framework)) {
    const [method = '', path = ''] = request.split(' ');
    const response = await fetch(`http://127.0.0.1:${port}${locate(path)}`, {
      method,
      headers: { 'user-agent': USER_AGENT, ...headers },
      body,
    });
    const rest = [...response.headers].filter(([name]) => name !== 'date');
    // h3 names the whole URL of what it has not found
    const text = (await response.text()).replaceAll(`:${port}/`, ':port/');
    answers.push({ title, status: response.status, headers: rest, body: text });
  }
  return answers;
}

/** The series that the table leads to, with their counts, in a fixed order. */
function expectedSeries(framework: Framework): string[] {
  const { locate = (path) => path, syntax = (template) => template } = framework;
  const counts = new Map<string, number>();
  for (const { path, status, code = '', methodCode = '' } of casesOf(framework)) {
    if (path === undefined) continue;
    const key = series({
      appid: 'A123',
      application: 'A123010101',
      f_code: USER_AGENT,
      path: syntax(locate(path)),
      http_status: String(status),
      code,
      method_code: methodCode,
    });
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].map(([key, count]) => `${key} ${count}`).sort();
}

/** What the requests of the table that are not recorded are counted as. */
function expectedUnrecorded(framework: Framework): Record<string, number> {
  const counts = { not_found: 0, no_route: 0, ignored: 0 };
  for (const { path, reason = 'no_route' } of casesOf(framework)) if (path === undefined) counts[reason]++;
  return counts;
}

function series(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort());
}

interface Measured {
  readonly answers: readonly Answer[];
  readonly counted: readonly string[];
  readonly unrecorded: Readonly<Record<string, number>>;
}

async function measure(framework: Framework, launcher: string): Promise<Measured> {
  const app = await runApp(`test/fixtures/frameworks/${launcher}`, { args: framework.args });
  try {
    const answers = await ask(app, framework);
    const wanted = casesOf(framework).filter(({ path }) => path !== undefined).length;
    const metrics = await app.metricsWhen(
      (now) => now.counts(INNER).reduce((sum, { count }) => sum + count, 0) >= wanted,
    );
    const counted = metrics.counts(INNER).map(({ labels, count }) => `${series(labels)} ${count}`);
    const unrecorded = Object.fromEntries(
      metrics.counts(UNRECORDED).map(({ labels, count }) => [labels.reason ?? '', count]),
    );
    return { answers, counted: counted.sort(), unrecorded };
  } finally {
    await app.stop();
  }
}

describe('the route templates of the frameworks', { concurrency: 2 }, () => {
  for (const framework of FRAMEWORKS) {
    it(`${framework.title} is counted by template, and answers as without the exporter`, async () => {
      const bare = await runApp('test/fixtures/frameworks/cjs.js', { args: framework.args, nodeArgs: [] });
      const answersWithout = await ask(bare, framework).finally(() => bare.stop());
      for (const [i, { title, status, answer }] of casesOf(framework).entries()) {
        const given = answersWithout[i];
        assert.equal(given?.status, status, title);
        if (answer !== undefined) assert.deepEqual(JSON.parse(given.body), answer, title);
      }
      for (const [system, launcher] of Object.entries(MODULE_SYSTEMS)) {
        const { answers, counted, unrecorded } = await measure(framework, launcher);
        assert.deepEqual(answers, answersWithout, system);
        assert.deepEqual(counted, expectedSeries(framework), system);
        assert.deepEqual(unrecorded, expectedUnrecorded(framework), system);
      }
    });
  }

  it('two versions beside each other, loaded when they are first asked for, have their routes', async () => {
    const names = ['koa', 'koa2', 'fastify', 'fastify4', 'hono', 'hono3', 'h3', 'old-h3'];
    const app = await runApp('test/fixtures/frameworks/cjs.js', { args: ['beside'] });
    try {
      for (const name of names) await (await fetch(`http://127.0.0.1:${app.port}/${name}/17`)).text();
      const metrics = await app.metricsWhen((now) => now.counts(INNER).length >= names.length);
      const counted = metrics.counts(INNER).map(({ labels, count }) => [labels.path, labels.code, count]);
      assert.deepEqual(counted.sort(), names.map((name) => [`/${name}/:id`, name, 1]).sort());
    } finally {
      await app.stop();
    }
  });
});

/** The web frameworks: by what each is found, and where its source is. */
import type { SourceRow } from './source-row';

/** Sources that record the requests whose routes the frameworks report. */
const INBOUND = ['http', 'http2'];

const H3_1 = { contains: ['class H3Event', '.matchedRoute'], locals: ['H3Event'] };
const H3_2 = { contains: ['H3Core = class', '.matchedRoute'], locals: ['H3Core'] };
const NITRO_SCRIPT = /\/server\/index\.mjs$/;

export const FRAMEWORKS: readonly SourceRow[] = [
  // three that are found without a file too, in bundles: express, fastify and next
  {
    name: 'express',
    needs: INBOUND,
    load: () => (require('./frameworks/express') as typeof import('./frameworks/express')).createExpressInstrumentation,
  },
  {
    name: 'fastify',
    needs: INBOUND,
    load: () => (require('./frameworks/fastify') as typeof import('./frameworks/fastify')).createFastifyInstrumentation,
  },
  {
    name: 'koa',
    needs: INBOUND,
    load: () => (require('./frameworks/koa') as typeof import('./frameworks/koa')).createKoaInstrumentation,
    files: ['/lib/context.js', '/@eggjs/koa/dist/commonjs/context.js'],
    esModules: [
      {
        ...{ name: 'koa', path: '/@eggjs/koa/dist/esm/context.js', contains: ['class Context'], locals: ['Context'] },
        packages: ['egg', '@eggjs/koa'],
      },
    ],
  },
  {
    name: 'hapi',
    needs: INBOUND,
    load: () => (require('./frameworks/hapi') as typeof import('./frameworks/hapi')).createHapiInstrumentation,
    files: ['/lib/request.js'],
  },
  {
    name: 'next',
    needs: INBOUND,
    load: () => (require('./frameworks/next') as typeof import('./frameworks/next')).createNextInstrumentation,
  },
  {
    name: 'hono',
    needs: INBOUND,
    load: () => (require('./frameworks/hono') as typeof import('./frameworks/hono')).createHonoInstrumentation,
    files: ['/dist/cjs/hono-base.js'],
    esModules: [
      { name: 'hono', packages: ['hono'], path: '/dist/hono-base.js', contains: ['HonoBase'], locals: ['Hono'] },
      {
        name: 'hono',
        packages: ['hono'],
        path: '/dist/router/',
        contains: ['Router'],
        locals: ['SmartRouter', 'RegExpRouter', 'TrieRouter', 'LinearRouter', 'PatternRouter'],
      },
    ],
  },
  {
    name: 'h3',
    needs: INBOUND,
    load: () => (require('./frameworks/h3') as typeof import('./frameworks/h3')).createH3Instrumentation,
    files: ['h3/dist/index.cjs', 'h3/dist/_entries/node.mjs'],
    esModules: [
      { name: 'h3', packages: ['h3'], path: 'h3/dist/', ...H3_1 },
      { name: 'h3', packages: ['h3'], path: 'h3/dist/', ...H3_2 },
      // Nitro's output, of which h3 is a part
      { name: 'h3', packages: [], script: NITRO_SCRIPT, path: '/server/', ...H3_1 },
      { name: 'h3', packages: [], script: NITRO_SCRIPT, path: '/server/', ...H3_2 },
    ],
  },
  {
    name: 'adonis',
    needs: INBOUND,
    load: () => (require('./frameworks/adonis') as typeof import('./frameworks/adonis')).createAdonisInstrumentation,
    esModules: [
      {
        name: 'adonis',
        path: '/@adonisjs/http-server/build/',
        contains: ['createHttpContext', 'class'],
        locals: ['Server'],
        packages: ['@adonisjs/core', '@adonisjs/http-server'],
      },
    ],
  },
  {
    name: 'sveltekit',
    needs: INBOUND,
    load: () =>
      (require('./frameworks/sveltekit') as typeof import('./frameworks/sveltekit')).createSveltekitInstrumentation,
    // modules of what an application is built into, which has the framework in it
    esModules: ['app_template_contains_nonce', 'function set_hooks(', 'appPath:', 'app_path:'].map((text) => ({
      name: 'sveltekit',
      path: '/server/',
      contains: [text],
      locals: ['set_hooks', ...['options', 'manifest'].flatMap((name) => [name, `${name}$1`, `${name}$2`])],
      packages: ['@sveltejs/kit'],
      beside: ['handler.js', 'env.js', 'client'],
    })),
  },
  {
    name: 'react-router',
    needs: INBOUND,
    load: () =>
      (require('./frameworks/react-router') as typeof import('./frameworks/react-router'))
        .createReactRouterInstrumentation,
    files: ['express', 'node'].flatMap((name) =>
      ['js', 'mjs'].map((ending) => `/@react-router/${name}/dist/index.${ending}`),
    ),
    esModules: [
      {
        name: 'react-router',
        path: '/@react-router/express/dist/',
        contains: ['createRequestHandler'],
        locals: ['createRequestHandler'],
        packages: ['@react-router/express', '@react-router/serve'],
      },
      {
        name: 'react-router',
        path: '/@react-router/node/dist/',
        contains: ['createRequestListener'],
        locals: ['createRequestListener'],
        packages: ['@react-router/node'],
      },
    ],
  },
];

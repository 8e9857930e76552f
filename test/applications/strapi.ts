/** Strapi: a content type of its own in SQLite, read and written over its REST API. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { FIXTURES } from '../support/paths';
import { type Application, seriesOf } from './application';
import { type Answer, type Asked, exchange } from './exchange';

const VERSION = '5.54.0';
const JSON_TYPE = { 'content-type': 'application/json' };
const create = (title: string): Asked => ({
  request: 'POST /api/articles?method_code=C1',
  headers: JSON_TYPE,
  body: JSON.stringify({ data: { title, code: title } }),
});

/** `:first` stands for the id that the first article was given. */
const ROWS: readonly (readonly [asked: Asked, series?: string])[] = [
  [{ request: 'GET /_health' }, '/_health 204 -1'],
  [create('A1'), '/api/articles 201 A1 C1'],
  [create('A2'), '/api/articles 201 A2 C1'],
  [{ request: 'GET /api/articles?sort=id&fields=title' }, '/api/articles 200'],
  [{ request: 'GET /api/articles/:first' }, '/api/articles/:id 200 A1'],
  [{ request: 'HEAD /api/articles/:first' }, '/api/articles/:id 200 -1'],
  [{ request: 'DELETE /api/articles/:first' }, '/api/articles/:id 403'],
  [{ request: 'GET /api/articles/none' }],
  [{ request: 'GET /api/nothing' }],
  [{ request: 'POST /admin/login', headers: JSON_TYPE, body: '{"email":"a@b.cn","password":"x"}' }, '/admin/login 400'],
  [{ request: 'POST /api/articles', headers: JSON_TYPE, body: '{"data":' }, '/api/articles 400'],
];

export const strapi: Application = {
  name: 'Strapi',
  installation: {
    name: `strapi-${VERSION}`,
    manifest: {
      dependencies: {
        '@strapi/strapi': VERSION,
        '@strapi/plugin-users-permissions': VERSION,
        'better-sqlite3': '12.4.6',
        react: '18.3.1',
        'react-dom': '18.3.1',
        'react-router-dom': '6.30.6',
        'styled-components': '6.6.0',
      },
      // which an identity of an installation is sent with, were there any
      strapi: { uuid: false },
    },
    files: join(FIXTURES, 'applications/strapi'),
    hasScripts: true,
  },
  start({ folder, data, port }) {
    // its installer would have made it
    mkdirSync(join(folder, 'public/uploads'), { recursive: true });
    return {
      args: ['node_modules/@strapi/strapi/bin/strapi.js', 'start'],
      env: { PORT: String(port), DATABASE_FILENAME: join(data, 'data.db'), STRAPI_TELEMETRY_DISABLED: 'true' },
    };
  },
  ready: '/api/articles',
  async use({ port }) {
    const answers: Answer[] = [];
    let first = '';
    for (const [asked] of ROWS) {
      const answer = await exchange(port, { ...asked, request: asked.request.replace(':first', first) });
      if (first === '') first = /"documentId":"(\w+)"/.exec(answer.body)?.[1] ?? '';
      answers.push({ ...answer, title: asked.request });
    }
    return answers;
  },
  volatileHeaders: ['x-response-time', 'etag', 'x-ratelimit-reset'],
  steady: (text) =>
    text
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
      .replace(/"documentId":"\w+"/g, '"documentId":"<id>"')
      .replace(/\b\d+ ms\b/g, '<time>'),
  series: seriesOf(ROWS),
  load: { path: '/api/articles?fields=title', series: '/api/articles 200', requests: 500 },
};

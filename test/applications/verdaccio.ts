/** Verdaccio, a registry of packages, as the npm client uses it: publish, install, view, search, and what that reads. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { INNER } from '../support/app';
import type { Metrics } from '../support/metrics';
import { type Application, type Side, seriesOf } from './application';
import { type Answer, command, exchange } from './exchange';

const VERSION = '6.10.4';
// of node-fetch it asks for a tag, which not every mirror of the registry has; the tag's successor does
const MANIFEST = { dependencies: { verdaccio: VERSION }, overrides: { 'node-fetch': '2.7.0' } };
const UNRECORDED = 'channel_exporter_unrecorded_requests_total';
const PERSON = { name: 'person', password: 'a password of some length' };
const JSON_TYPE = { 'content-type': 'application/json' };

/** Everything that a person asks, with what it is to be counted as; the npm client has User-Agents of its own. */
const ROWS: readonly (readonly [request: string, series?: string])[] = [
  ['GET /-/ping', '/-/ping 200'],
  ['GET /-/whoami', '/-/whoami 200'],
  ['GET /thing', '/:package/:version? 200'],
  ['GET /thing/1.0.0', '/:package/:version? 200'],
  ['GET /@scope%2fpart', '/:package/:version? 200'],
  ['GET /@scope/part', '/:package/:version? 200'],
  ['GET /thing/-/thing-1.0.0.tgz', '/:package/-/:filename 200 -1'],
  ['GET /@scope/part/-/part-1.0.0.tgz', '/:package/-/:filename 200 -1'],
  ['GET /-/package/thing/dist-tags', '/-/package/:package/dist-tags 200'],
  ['GET /-/v1/search?text=thing', '/-/v1/search 200'],
  ['GET /-/verdaccio/data/packages', '/-/verdaccio/data/packages 200'],
  ['GET /-/verdaccio/data/sidebar/thing', '/-/verdaccio/data/sidebar/:package 200'],
  ['GET /-/web/detail/thing', '/-/web/* 200 -1'],
  ['GET /missing'],
  ['PUT /thing', '/:package/:_rev?/:revision? 401'],
];

export const verdaccio: Application = {
  name: 'Verdaccio',
  nodeLine: 24,
  installation: { name: `verdaccio-${VERSION}`, manifest: MANIFEST },
  start({ data, port }) {
    const file = join(data, 'config.json');
    const access = { access: '$all', publish: '$authenticated', unpublish: '$authenticated' };
    const config = {
      storage: join(data, 'storage'),
      auth: { htpasswd: { file: join(data, 'htpasswd'), algorithm: 'bcrypt', rounds: 4 } },
      uplinks: {},
      packages: { '@*/*': access, '**': access },
      log: { type: 'stdout', format: 'json', level: 'http' },
    };
    // JSON is YAML
    writeFileSync(file, JSON.stringify(config));
    const args = ['node_modules/verdaccio/bin/verdaccio', '--config', file, '--listen', `127.0.0.1:${port}`];
    return { args, env: { HOME: data } };
  },
  ready: '/-/ping',
  async use(side) {
    const user = await exchange(side.port, {
      request: `PUT /-/user/org.couchdb.user:${PERSON.name}`,
      headers: JSON_TYPE,
      body: JSON.stringify(PERSON),
    });
    const { token } = JSON.parse(user.body) as { token: string };
    const client = await useClient(side, token);
    const answers: Answer[] = [user, ...client];
    const headers = { authorization: `Bearer ${token}` };
    for (const [request] of ROWS) {
      // its pages have tokens of their own
      const isOfPages = /verdaccio|web/.test(request);
      const isPut = request.startsWith('PUT');
      const asked = isPut ? { headers: JSON_TYPE, body: '{}' } : isOfPages ? {} : { headers };
      answers.push(await exchange(side.port, { request, ...asked }));
    }
    return answers;
  },
  // of documents with times in them
  volatileHeaders: ['etag', 'last-modified', 'content-length', 'x-ratelimit-reset', 'x-ratelimit-remaining'],
  steady: (text) =>
    text
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
      .replace(/"time":"\w{3}, [^"]* GMT"/g, '"time":"<time>"')
      .replace(/"_rev": ?"[^"]*"/g, '"_rev":"<revision>"')
      .replace(/"token": "[^"]*"/g, '"token":"<token>"')
      .replace(/"(lastModified|mtime|time|created|modified)": ?\d+/g, '"$1":0')
      .replace(/[\w.-]+-debug-0\.log/g, '<log>')
      .replace(/\bin \d+m?s\b/g, 'in <time>'),
  series: { ...seriesOf(ROWS), '/-/user/:org_couchdb_user/:_rev?/:revision? 201': 1 },
  load: { path: '/thing', series: '/:package/:version? 200', requests: 300 },
  check: everyRequestIsCounted,
  report: ({ service }) => [`${requestsLogged(service.output())} requests in its own log`],
};

/** Two packages, one of which needs the other, go in, are looked at, and come out again. */
async function useClient({ data, port, folder }: Side, token: string): Promise<Answer[]> {
  const home = join(data, 'home');
  const write = (path: string, content: object | string) => {
    mkdirSync(join(home, path, '..'), { recursive: true });
    writeFileSync(join(home, path), typeof content === 'string' ? content : JSON.stringify(content));
  };
  write('.npmrc', `registry=http://127.0.0.1:${port}/\n//127.0.0.1:${port}/:_authToken=${token}\nloglevel=error\n`);
  write('thing/package.json', { name: 'thing', version: '1.0.0', description: 'a thing', license: 'MIT' });
  write('thing/index.js', `module.exports = ${JSON.stringify('x'.repeat(200_000))};\n`);
  write('part/package.json', { name: '@scope/part', version: '1.0.0', dependencies: { thing: '^1.0.0' } });
  write('part/index.js', 'module.exports = require("thing").length;\n');
  write('user/package.json', { name: 'user', version: '1.0.0', private: true });
  const { PATH } = process.env;
  const env = {
    ...{ PATH, HOME: home, npm_config_cache: join(home, 'cache'), npm_config_userconfig: join(home, '.npmrc') },
    ...{ npm_config_update_notifier: 'false', npm_config_audit: 'false', npm_config_fund: 'false' },
  };
  const answers: Answer[] = [];
  const typed = async (where: string, title: string) =>
    void answers.push(await command(title, [], join(home, where), env));
  await typed('thing', 'npm publish');
  await typed('part', 'npm publish --access public');
  await typed('thing', 'npm version 1.1.0 --no-git-tag-version');
  await typed('thing', 'npm publish --tag next');
  await typed('thing', 'npm publish --tag next');
  await typed('user', 'npm view thing --json');
  await typed('user', 'npm view @scope/part dependencies --json');
  await typed('user', 'npm install @scope/part');
  await typed('user', 'npm ls --all --json');
  await typed('user', 'node -p require("@scope/part")');
  await typed('user', 'npm search thing --json');
  await typed('user', 'npm dist-tag ls thing');
  await typed('user', 'npm whoami');
  await typed('user', 'npm view missing --json');
  await typed('user', 'npm deprecate thing@1.1.0 old');
  await typed('user', 'npm unpublish thing@1.1.0 --force');
  for (const { title, status, body } of answers)
    assert.equal(status, /missing|publish --tag next/.test(title) ? status : '0', `${title}: ${body} ${folder}`);
  return answers;
}

/** What Verdaccio itself has logged and what is on the scrape are as many: those of the npm client too. */
function everyRequestIsCounted(metrics: Metrics, { service }: Side): void {
  const sum = (family: string) => metrics.counts(family).reduce((all, { count }) => all + count, 0);
  // it logs each twice, and may end between the two
  assert.equal(sum(INNER) + sum(UNRECORDED), Math.ceil(requestsLogged(service.output())));
  const paths = new Set(metrics.counts(INNER).map(({ labels }) => labels.path ?? ''));
  const concrete = [...paths].filter((path) => /thing|part|1\.\d\.0/.test(path));
  assert.deepEqual(concrete, [], 'no name of a package is a label');
}

/** Each request has two lines with its status: when its answer ends, and when the request closes. */
function requestsLogged(output: string): number {
  return output.split('\n').filter((line) => /"status":\d+/.test(line)).length / 2;
}

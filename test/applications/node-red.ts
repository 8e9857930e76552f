/** Node-RED: its editor's API deploys flows with http-in nodes, which are routes of the application from then on. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../support/waiting';
import { type Application, seriesOf } from './application';
import { type Answer, type Asked, exchange } from './exchange';

const VERSION = '5.0.7';
const JSON_TYPE = { 'content-type': 'application/json' };

/** Takes a request, has a function answer it, and sends the answer. */
function flow(id: string, method: string, url: string, func: string): object[] {
  const node = (name: string, type: string, rest: object) => ({
    id: `${id}-${name}`,
    z: 'tab',
    type,
    x: 0,
    y: 0,
    ...rest,
  });
  return [
    node('in', 'http in', { name: '', url, method, upload: false, swaggerDoc: '', wires: [[`${id}-do`]] }),
    node('do', 'function', { name: '', func, outputs: 1, noerr: 0, libs: [], wires: [[`${id}-out`]] }),
    node('out', 'http response', { name: '', statusCode: '', headers: {}, wires: [] }),
  ];
}

const TAB = { id: 'tab', type: 'tab', label: 'Flow', disabled: false, info: '' };
const GREET = flow(
  'greet',
  'get',
  '/hello/:name',
  "msg.payload = { code: '0', name: msg.req.params.name }; return msg;",
);
const ECHO = flow('echo', 'post', '/echo', "msg.payload = { code: '7', body: msg.payload }; return msg;");
const LATER = flow('later', 'get', '/later/:id', "msg.statusCode = 201; msg.payload = { code: 'L' }; return msg;");

function deploy(flows: readonly object[]): Asked {
  const headers = { ...JSON_TYPE, 'node-red-deployment-type': 'full', 'node-red-api-version': 'v1' };
  return { request: 'POST /flows', headers, body: JSON.stringify(flows) };
}

const ROWS: readonly (readonly [asked: Asked, series?: string])[] = [
  [{ request: 'GET /settings' }, '/settings 200'],
  [{ request: 'GET /hello/anna' }],
  [deploy([TAB, ...GREET, ...ECHO]), '/flows 204 -1'],
  [{ request: 'GET /flows' }, '/flows 200'],
  [{ request: 'GET /hello/anna' }, '/hello/:name 200 0'],
  [{ request: 'GET /hello/otto?a=b' }, '/hello/:name 200 0'],
  [{ request: 'HEAD /hello/otto' }, '/hello/:name 200 -1'],
  [{ request: 'POST /echo', headers: JSON_TYPE, body: '{"method_code":"J1","a":[1]}' }, '/echo 200 7 J1'],
  [{ request: 'GET /nodes', headers: { accept: 'application/json' } }, '/nodes 200'],
  // what the first deployment has brought is gone
  [deploy([TAB, ...LATER]), '/flows 204 -1'],
  [{ request: 'GET /hello/anna' }],
  [{ request: 'GET /later/1' }, '/later/:id 201 L'],
  [deploy([TAB, ...GREET]), '/flows 204 -1'],
];

const LOAD = '/hello/load';

export const nodeRed: Application = {
  name: 'Node-RED',
  nodeLine: 24,
  installation: { name: `node-red-${VERSION}`, manifest: { dependencies: { 'node-red': VERSION } } },
  start({ data, port }) {
    const settings = join(data, 'settings.js');
    writeFileSync(
      settings,
      `module.exports = {
        uiHost: '127.0.0.1', flowFile: 'flows.json', credentialSecret: 'secret', disableEditor: false,
        logging: { console: { level: 'warn' } }, telemetry: { enabled: false, updateNotification: false },
        externalModules: { autoInstall: false },
      };`,
    );
    return {
      args: ['node_modules/node-red/red.js', '--settings', settings, '--userDir', data, '--port', String(port)],
      env: { HOME: data },
    };
  },
  ready: '/settings',
  async use({ port, service }) {
    // the admin API answers before the nodes are loaded, and a deployment before its flows run
    const answers: Answer[] = [];
    for (const [i, [asked]] of ROWS.entries()) {
      answers.push(await exchange(port, asked));
      if (asked.request.endsWith(' /flows') && asked.body !== undefined) await flowsRun(port, ROWS.slice(i + 1));
    }
    for (const { title, status, body } of answers)
      assert.notEqual(status, 500, `${title}: ${body} ${service.output()}`);
    return answers;
  },
  series: seriesOf(ROWS),
  load: { path: LOAD, series: '/hello/:name 200 0', requests: 300 },
};

/** When the first path answers that is to be there, or that of the load after the last deployment. */
async function flowsRun(port: number, rows: typeof ROWS): Promise<void> {
  const next = rows.find(
    ([{ request }, series]) => request.startsWith('GET ') && series !== undefined && !/ \/(flows|nodes)/.test(request),
  );
  const path = next?.[0].request.split(' ')[1] ?? LOAD;
  const isThere = async () => (await fetch(`http://127.0.0.1:${port}${path}`)).status !== 404;
  await until(isThere, `the flows of a deployment answer ${path}`);
}

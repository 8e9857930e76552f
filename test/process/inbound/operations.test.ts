/** GraphQL and JSON-RPC: one path, many operations, and errors in a 200. Each operation and each error has its own series. */
import { join } from 'node:path';
import { describe } from 'node:test';
import { type InboundCase, inboundTable, type Observation } from '../../support/inbound';
import { FIXTURES } from '../../support/paths';
import { get, post } from '../../support/raw-http';

const SERVER = join(FIXTURES, 'operations/server.js');
const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';

type Row = readonly [what: string, send: Buffer, observed: Partial<Observation>];

const graphql = (request: object, path = '/graphql') => post(path, JSON_TYPE, JSON.stringify(request));
const rpc = (request: object) => post('/rpc', JSON_TYPE, JSON.stringify(request));
const echo = (body: string) => post('/echo', JSON_TYPE, body);
const call = (method: string, id = 1) => ({ jsonrpc: '2.0', method, params: [1, 2], id });
const USER = 'query GetUser { user { code } }';

/** @param path that an observation has where its row names none */
const cases = (path: string, rows: readonly Row[]): InboundCase[] =>
  rows.map(([name, send, observed]) => ({ name, send, records: [{ path, ...observed }] }));

describe('with names for operations and paths to the codes of errors', () => {
  const GRAPHQL = cases('/graphql', [
    [
      'an operation is its name, and a code in its data is none',
      graphql({ query: USER, operationName: 'GetUser' }),
      { method_code: 'GetUser', code: '' },
    ],
    [
      'an operation without operationName has no name made of its query',
      graphql({ query: USER }),
      { method_code: '', code: '' },
    ],
    [
      'an error in a 200 is its code, whatever codes are in the data',
      graphql({ query: 'query Both { user { code } secret }', operationName: 'Both' }),
      { method_code: 'Both', code: 'FORBIDDEN' },
    ],
    [
      'the first error that has a code counts',
      graphql({ query: 'query Two { broken secret }', operationName: 'Two' }),
      { method_code: 'Two', code: 'FORBIDDEN' },
    ],
    [
      'an error without a code has none',
      graphql({ query: 'query One { broken }', operationName: 'One' }),
      { method_code: 'One', code: '' },
    ],
    [
      'an operation in the query string',
      get(`/graphql?${new URLSearchParams({ query: USER, operationName: 'GetUser' })}`),
      { method_code: 'GetUser', code: '' },
    ],
    [
      'a query string without operationName',
      get(`/graphql?${new URLSearchParams({ query: USER })}`),
      { method_code: '', code: '' },
    ],
    [
      'method_code goes before',
      graphql({ query: USER, operationName: 'GetUser', extensions: { method_code: 'M1' } }),
      { method_code: 'M1', code: '' },
    ],
    [
      'a body that the application has parsed itself',
      graphql({ query: USER, operationName: 'GetUser' }, '/parsed/graphql'),
      { path: '/parsed/graphql', method_code: 'GetUser', code: '' },
    ],
    [
      'a form',
      post('/parsed/graphql', FORM_TYPE, String(new URLSearchParams({ query: USER, operationName: 'GetUser' }))),
      { path: '/parsed/graphql', http_status: '415', method_code: 'GetUser', code: '-1' },
    ],
  ]);
  const RPC = cases('/rpc', [
    ['a call is its method, and its result has no code', rpc(call('add')), { method_code: 'add', code: '' }],
    ['an error is its code', rpc(call('fail')), { method_code: 'fail', code: '-32000' }],
    ['an unknown method is one', rpc(call('none')), { method_code: 'none', code: '-32601' }],
    [
      'of a batch, the first that fails and the last method',
      rpc([call('add'), call('none', 2), call('fail', 3)]),
      { method_code: 'fail', code: '-32601' },
    ],
  ]);
  const OTHER = cases('/echo', [
    [
      'of a batch of GraphQL, the first error that has a code',
      echo('[{"data":{"code":"X"}},{"errors":[{"message":"m"},{"extensions":{"code":"E2"}}]},{"errors":[]}]'),
      { code: 'E2' },
    ],
    ['a code of the outermost object, which comes last', echo('{"code":"0"}'), { code: '0' }],
    ['an error beside it goes before', echo('{"code":"0","error":{"code":"E"}}'), { code: 'E' }],
    [
      'a code of the outermost object in front of more than is read',
      echo(`{"code":"0","rows":"${'x'.repeat(70_000)}"}`),
      { code: '0' },
    ],
    ['what is no JSON', echo('nothing'), { code: '-1' }],
    ['an answer of another kind on another path', get('/rest'), { path: '/rest', code: '0' }],
  ]);
  inboundTable(SERVER, [...GRAPHQL, ...RPC, ...OTHER], {
    env: {
      CHANNEL_EXPORTER_METHOD_CODE_FROM: 'operationName,method',
      CHANNEL_EXPORTER_CODE_FROM: 'errors[*].extensions.code,error.code,.code',
    },
  });
});

describe('without settings', () => {
  inboundTable(
    SERVER,
    cases('/graphql', [
      [
        'an operation has no name, and the shallowest code counts',
        graphql({ query: 'query Both { user { code } secret }', operationName: 'Both' }),
        { code: 'X' },
      ],
      ['a call has none either', rpc(call('none')), { path: '/rpc', code: '-32601' }],
    ]),
  );
});

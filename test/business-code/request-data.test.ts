import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findInQuery, requestBodyReader } from '../../src/business-code/request-data';

const LIMIT = 64 * 1024;
const FORM = 'application/x-www-form-urlencoded';
const MULTIPART = 'multipart/form-data; boundary=XX';

describe('the interface number in a query', () => {
  /** undefined: there is no field, so that the body has its turn. */
  const cases: readonly (readonly [query: string, found: string | undefined])[] = [
    ['', undefined],
    ['&', undefined],
    ['&&&', undefined],
    ['a', ''],
    ['=', ''],
    ['=method_code', ''],
    ['a=1&b=2', ''],
    ['method_code=1', '1'],
    ['METHOD-CODE=1', '1'],
    ['_m_e_thodCode-=1', '1'],
    ['method%5Fcode=1', '1'],
    ['method+code=1', ''],
    ['method_codes=1', ''],
    ['xmethod_code=1', ''],
    ['method_code', ''],
    ['method_code=0', '0'],
    ['method_code=a=b', 'a=b'],
    ['method_code=a;method_code=b', 'a;method_code=b'],
    ['methodCode=1&method_code=2', '1'],
    ['method_code=&method_code=2', ''],
    ['a=1&&method_code=%E4%B8%AD+%FF&', '中 \uFFFD'],
    ['%6Dethod%5fc%6fde=1', '1'],
    ['method_code%=1&method_code=2', '2'],
    ['method_code%4=1&method%00code=2', ''],
    ['%6=1&%ff=2&method_code=3', '3'],
    ['method_code%3D=1', ''],
    ['method_cod&e=1', ''],
    ['method_code&method_code=2', ''],
    ['=&method_code=1', '1'],
    ['\u00e9=\u00e9&method_code=\u00e9', '\u00e9'],
    [`method_code=${'%41'.repeat(5000)}`, `${'A'.repeat(1365)}%`],
  ];
  for (const [query, found] of cases) {
    it(`${query || 'an empty one'} gives ${found ?? 'way to the body'}`, () => assert.equal(findInQuery(query), found));
  }
});

describe('the interface number in a query, by further names', () => {
  const PLACES = ['operationName', '.method', 'head.txCode'];
  const cases: readonly (readonly [query: string, found: string | undefined])[] = [
    ['', undefined],
    ['query=%7Bme%7D&operationName=GetMe', 'GetMe'],
    ['OPERATION_NAME=GetMe', 'GetMe'],
    ['operation%4Eame=Get%4De', 'GetMe'],
    ['method=m&operationName=o', 'o'],
    ['method=m&operationName=&method_code=', 'm'],
    ['method=m&method_code=1', '1'],
    ['query=query+GetMe+%7Bme%7D', ''],
    ['head.txCode=T1', ''],
    ['txCode=T1', ''],
    ['operationNames=o&xmethod=m', ''],
  ];
  for (const [query, found] of cases) {
    it(`${query || 'an empty one'} gives ${found ?? 'way to the body'}`, () => {
      assert.equal(findInQuery(query, PLACES), found);
    });
  }
});

/** Every way to cut a body in two must give the same. */
function readInPieces(contentType: string, body: string, isWhole = true, places?: readonly string[]): string {
  const bytes = Buffer.from(body);
  const results = new Set<string>();
  for (let cut = 0; cut <= Math.min(bytes.length, 400); cut++) {
    const reader = requestBodyReader(contentType, LIMIT, places);
    // the buffer is used again behind our back, as an application may
    const first = Buffer.from(bytes.subarray(0, cut));
    reader.push(first);
    first.fill(0);
    reader.push(bytes.subarray(cut));
    results.add(reader.end(isWhole));
  }
  assert.equal(results.size, 1, `the pieces make no difference: ${[...results]}`);
  return [...results][0] as string;
}

describe('the interface number in a body', () => {
  const part = (headers: string, value: string) =>
    `--XX\r\nContent-Disposition: form-data; ${headers}\r\n\r\n${value}\r\n`;
  const cases: readonly (readonly [name: string, contentType: string, body: string, found: string])[] = [
    ['a form', FORM, 'a=1&method_code=F1', 'F1'],
    ['a form with parameters of its type', `${FORM.toUpperCase()} ; charset=utf-8`, 'method_code=F1', 'F1'],
    ['a form in UTF-8', FORM, 'method_code=中', '中'],
    ['an empty form', FORM, '', ''],
    ['JSON sent as a form', FORM, '{"method_code":"J1"}', ''],
    ['a form sent as text', 'text/plain', 'method_code=F1', ''],
    ['a multipart form', MULTIPART, `${part('name="method_code"', 'P1')}--XX--`, 'P1'],
    ['a file of that name', MULTIPART, `${part('name="method_code"; filename="a"', 'P1')}--XX--`, ''],
    ['a multipart form without its end', MULTIPART, part('name="method_code"', 'P1'), ''],
    ['JSON sent as multipart without a boundary', 'multipart/form-data', '{"method_code":"J1"}', 'J1'],
    ['JSON', 'application/json', '{"method_code":"J1"}', 'J1'],
    ['JSON without a type', '', ' {"data":[{"methodCode":12}]} ', '12'],
    ['JSON with a byte order mark', 'application/json', '\uFEFF{"method_code":"J1"}', 'J1'],
    ['JSON that breaks off', 'application/json', '{"method_code":"J1"', ''],
    ['a number', 'application/json', '{"method_code":1.50}', '1.50'],
    ['zero', 'application/json', '{"method_code":0}', ''],
    ['zero with an exponent', 'application/json', '{"method_code":-0.0e5}', ''],
    ['the text 0', 'application/json', '{"method_code":"0"}', '0'],
    ['false', 'application/json', '{"method_code":false}', ''],
    ['true', 'application/json', '{"method_code":true}', 'true'],
    ['null', 'application/json', '{"method_code":null}', ''],
    ['an empty text', 'application/json', '{"method_code":""}', ''],
    ['a list', 'application/json', '{"method_code":[]}', ''],
    ['an object', 'application/json', '{"method_code":{}}', ''],
  ];
  for (const [name, contentType, body, found] of cases) {
    it(`of ${name} is ${found || 'empty'}`, () => assert.equal(readInPieces(contentType, body), found));
  }

  const PLACES = ['operationName', 'method'];
  const listed: readonly (readonly [name: string, contentType: string, body: string, found: string])[] = [
    ['a form', FORM, 'query=%7Bme%7D&operationName=GetMe', 'GetMe'],
    ['a form in another order', FORM, 'method=m&operationName=o&method_code=', 'o'],
    ['a form with both', FORM, 'operationName=o&method_code=1', '1'],
    ['a multipart form', MULTIPART, `${part('name="method"', 'm')}${part('name="operationName"', 'o')}--XX--`, 'o'],
    ['one that is empty', MULTIPART, `${part('name="method_code"', '')}${part('name="method"', 'm')}--XX--`, 'm'],
    ['one that comes twice', MULTIPART, `${part('name="method"', 'a')}${part('name="method"', 'b')}--XX--`, 'a'],
    ['JSON', 'application/json', '{"query":"{ me }","operationName":"GetMe"}', 'GetMe'],
    ['GraphQL that is no JSON', 'application/graphql', 'query GetMe { me }', ''],
  ];
  for (const [name, contentType, body, found] of listed) {
    it(`of ${name}, by further names, is ${found || 'empty'}`, () => {
      assert.equal(readInPieces(contentType, body, true, PLACES), found);
    });
  }

  it('of a form that broke off is no piece of one', () => {
    assert.equal(readInPieces(FORM, 'method_code=12', false), '');
    assert.equal(readInPieces(FORM, 'method_code=12&a', false), '12');
  });

  it('is read up to the bound and not beyond', () => {
    const number = 'method_code=1234';
    for (const behind of ['', '&']) {
      for (let length = LIMIT - 20; length <= LIMIT + 2; length++) {
        const body = `${'x'.repeat(length - 1)}&${number}${behind}`;
        const reader = requestBodyReader(FORM, LIMIT);
        for (let at = 0; at < body.length; at += 1000) reader.push(body.slice(at, at + 1000));
        const isWithin = body.length <= LIMIT || (behind === '&' && length + number.length + 1 <= LIMIT);
        assert.equal(reader.end(true), isWithin ? '1234' : '', `${length} bytes in front`);
      }
    }
  });
});

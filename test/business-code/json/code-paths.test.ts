/** Lists of names and paths: where each is found in a body, however that is cut, and what a cut body still tells. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BodyReader } from '../../../src/business-code/body-reader';
import {
  innerCode,
  innerCodeReader,
  methodCode,
  methodCodeReader,
  partnerCode,
} from '../../../src/business-code/codes';
import { wantedPlaces } from '../../../src/business-code/wanted-places';
import { isCodePlace } from '../../../src/partners/code-places';
import { fuzzSeed, Random } from '../../support/random';

const LIMIT_BYTES = 64 * 1024;
const GRAPHQL = ['errors[*].extensions.code', 'code'];

/** The code of a body in two chunks, cut at every place. */
function codeOf(places: readonly string[], body: string, limitBytes = LIMIT_BYTES): string {
  const bytes = Buffer.from(body);
  const seen = new Set<string>();
  const cuts = bytes.length > 500 ? [0, 7, 90, 1000] : [...bytes.keys()];
  for (const cut of cuts) {
    const reader = innerCodeReader(limitBytes, places);
    reader.push(bytes.subarray(0, cut));
    reader.push(bytes.subarray(cut));
    reader.end(true, (codes) => seen.add(innerCode(codes)));
  }
  assert.equal(seen.size, 1, `the chunks make no difference: ${[...seen]}`);
  return [...seen][0] as string;
}

describe('the code of an answer, by a list of places', () => {
  const first = ['errors[0].extensions.code'];
  const any = ['errors[*].extensions.code'];
  const rpc = ['error.code'];
  const cases: readonly (readonly [places: readonly string[], body: string, code: string])[] = [
    // a path is one place
    [first, '{"errors":[{"extensions":{"code":"FORBIDDEN"}}]}', 'FORBIDDEN'],
    [first, '{"data":{"user":{"code":"X"}},"errors":[{"extensions":{"code":"FORBIDDEN"}}]}', 'FORBIDDEN'],
    [first, '{"data":{"user":{"code":"X"}}}', ''],
    [first, '{"data":{"errors":[{"extensions":{"code":"X"}}]}}', ''],
    [first, '{"errors":[{"code":"X"}],"extensions":{"code":"Y"},"code":"Z"}', ''],
    [first, '{"errors":{"extensions":{"code":"X"}}}', ''],
    [first, '{"errors":[[{"extensions":{"code":"X"}}]]}', ''],
    [first, '{"errors":[{"extensions":{"code":["X"]}}]}', ''],
    [first, '{"errors":[{"extensions":{"code":{"code":"X"}}}]}', ''],
    [first, '{"errors":[{"extensions":{"code":null}}]}', ''],
    // items
    [first, '{"errors":[{"message":"m"},{"extensions":{"code":"X"}}]}', ''],
    [first, '{"errors":["m",{"extensions":{"code":"X"}}]}', ''],
    [first, '{"errors":[null,{"extensions":{"code":"X"}}]}', ''],
    [any, '{"errors":[{"message":"m"},{"extensions":{"code":"A"}},{"extensions":{"code":"B"}}]}', 'A'],
    [any, '{"errors":[{"extensions":{"code":null}},{"extensions":{"code":"B"}}]}', 'B'],
    [any, '{"errors":[]}', ''],
    [['a[*][0].c'], '{"a":[[{"b":1}],[{"c":2},{"c":3}]]}', '2'],
    [['a[0][*].c'], '{"a":[[{"b":1},{"c":2}],[{"c":3}]]}', '2'],
    // keys compare as names do, whatever they are written in
    [first, '{"ERRORS":[{"ex_ten-sions":{"Co_de":"E"}}]}', 'E'],
    [['Error.Co_de'], '{"error":{"code":-32601}}', '-32601'],
    [rpc, '{"\\u0065rror":{"\\u0043ode":true}}', 'true'],
    [rpc, '{"error":{"code":1.50}}', '1.50'],
    [rpc, '{"errors":{"code":1}}', ''],
    [rpc, '{"error":{"codes":1}}', ''],
    // the first in the text counts, and an empty text makes way for the next place
    [rpc, '{"error":{"code":1},"error":{"code":2}}', '1'],
    [rpc, '{"error":{"message":"m"},"error":{"code":2}}', '2'],
    [['error.code', 'code'], '{"error":{"code":""},"code":"C"}', 'C'],
    // a path of one key
    [['.code'], '{"data":{"code":"X"},"code":"C"}', 'C'],
    [['.code'], '{"data":{"code":"X"}}', ''],
    [['.code'], '{"code":{"code":"X"}}', ''],
    // a batch: the first of its answers that has it
    [rpc, '[{"result":1},{"error":{"code":-1}},{"error":{"code":-2}}]', '-1'],
    [rpc, '[{"result":{"error":{"code":3}}}]', ''],
    [rpc, '[[{"error":{"code":3}}]]', ''],
    [any, '[{"data":{}},{"errors":[{"extensions":{"code":"B"}}]}]', 'B'],
    [['.code'], '[{"x":1},{"code":"C"}]', 'C'],
    // several, in their order, and names beside paths
    [['error.code', 'error.data.code'], '{"error":{"data":{"code":"D"},"code":"C"}}', 'C'],
    [['error.data.code', 'error.code'], '{"error":{"data":{"code":"D"},"code":"C"}}', 'D'],
    [GRAPHQL, '{"code":"0","data":1}', '0'],
    [GRAPHQL, '{"code":"0","errors":[{"extensions":{"code":"E"}}]}', 'E'],
    [GRAPHQL, '{"data":{"code":"deep"}}', 'deep'],
    [['result', 'code'], '{"code":"C","data":{"result":"R"}}', 'R'],
    [['code.code', 'code'], '{"code":{"code":"P"}}', 'P'],
    [['a.b', 'a.b.c', 'b'], '{"a":{"b":{"c":"C"}}}', 'C'],
    // none
    [first, '{"errors":[{"extensions":{"code":"E"}}]', '-1'],
    [first, 'errors', '-1'],
    [first, '[]', ''],
    [first, '"code"', ''],
  ];
  for (const [places, body, code] of cases) {
    it(`${places} of ${body} is ${code || 'empty'}`, () => {
      assert.ok(places.every(isCodePlace));
      assert.equal(codeOf(places, body), code);
    });
  }

  it('is read by the same list again, with nothing left of the body before', () => {
    for (let round = 0; round < 3; round++) {
      assert.equal(codeOf(first, '{"errors":[{"extensions":{"code":"E1"}}]}'), 'E1');
      assert.equal(codeOf(first, '[{"errors":[{"extensions":{"code":"E2"}}]}'), '-1');
      assert.equal(codeOf(first, '{"errors":[{"extensions":{"co":"E2"}}]}'), '');
      assert.equal(codeOf(first, '{"errors":[{"extensions":{"code":'), '-1');
    }
  });

  it('is bounded in depth by the setting where it is a name, and not where it is a path', () => {
    const depthOf = (places: readonly string[], body: string) => {
      const reader = innerCodeReader(LIMIT_BYTES, places);
      reader.push(body);
      let code: string | undefined;
      reader.end(true, (codes) => {
        code = innerCode(codes, () => 1);
      });
      return code;
    };
    assert.equal(depthOf(GRAPHQL, '{"data":{"code":"deep"}}'), '');
    assert.equal(depthOf(GRAPHQL, '{"data":{"code":"X"},"errors":[{"extensions":{"code":"E"}}]}'), 'E');
    assert.equal(depthOf(GRAPHQL, '{"code":"C"}'), 'C');
  });

  it('of a body that is cut is what nothing behind the cut could replace, in the order of the list', () => {
    const rest = `"rows":"${'x'.repeat(LIMIT_BYTES)}"`;
    assert.equal(codeOf(GRAPHQL, `{"code":"0",${rest}}`), '0');
    assert.equal(codeOf(GRAPHQL, `{"code":"0","errors":[{"extensions":{"code":"E"}}],${rest}}`), 'E');
    assert.equal(codeOf(GRAPHQL, `{"data":{"code":"0"},${rest}}`), '-1');
    assert.equal(codeOf(['code'], `{"data":{"code":"0"},${rest}}`), '-1');
    assert.equal(codeOf(['code', 'result'], `{"result":"R",${rest}}`), 'R');
    assert.equal(codeOf(GRAPHQL, `{${rest},"code":"0"}`), '-1');
    // the same body without a list, by the contract
    let partner: string | undefined;
    const reader = new BodyReader(['code', 'errorcode'], LIMIT_BYTES);
    reader.push(`{"errorcode":"E",${rest}}`);
    reader.end(true, (codes) => {
      partner = partnerCode(codes);
    });
    assert.equal(partner, '-1');
  });

  it('is known as soon as its path was found', () => {
    const reader = innerCodeReader(LIMIT_BYTES, first);
    reader.push(`{"errors":[{"extensions":{"code":"E"}}],"rows":"${'x'.repeat(2_000)}`);
    assert.equal(reader.isDone, true);
    reader.discard();
  });
});

describe('the interface number of a request, by a list of places', () => {
  const NAMES = ['operationName', 'method'];
  const cases: readonly (readonly [places: readonly string[], body: string, found: string])[] = [
    [NAMES, '{"query":"query Q { a }","operationName":"GetUser"}', 'GetUser'],
    [NAMES, '{"jsonrpc":"2.0","method":"user.get","params":{"method":"card"},"id":1}', 'user.get'],
    [NAMES, '{"operationName":"GetUser","method_code":"M1"}', 'M1'],
    [NAMES, '{"data":{"methodCode":"M1"},"operationName":"GetUser"}', 'M1'],
    [NAMES, '{"method_code":"","operationName":null,"method":"m"}', 'm'],
    [NAMES, '{"method_code":0,"operation-name":false,"METHOD":"m"}', 'm'],
    [NAMES, '{"query":"query GetUser { user }"}', ''],
    [NAMES, '{"query":"{ pay }","variables":{"method":"card"}}', 'card'],
    [['.operationName', '.method'], '{"query":"{ pay }","variables":{"method":"card"}}', ''],
    [['.operationName', '.method'], '[{"method":"a"},{"method":"b"}]', 'a'],
    [NAMES, '[{"method":"a"},{"method":"b"}]', 'b'],
    [['head.txCode'], '{"head":{"tx_code":"T1"},"body":{"txCode":"T2"}}', 'T1'],
  ];
  for (const [places, body, found] of cases) {
    it(`${places} of ${body} is ${found || 'empty'}`, () => {
      const reader = methodCodeReader(LIMIT_BYTES, places);
      reader.push(body);
      let seen: string | undefined;
      reader.end(true, (codes) => {
        seen = methodCode(codes);
      });
      assert.equal(seen, found);
    });
  }
});

type Value = string | Value[] | { [key: string]: Value };
const KEYS = ['a', 'b', 'A', 'c_', 'code'];
const PLACES = ['a', 'code', '.a', '.code', 'a.b', 'b.a', 'a[0].b', 'a[*].b', 'a[*][0].c', 'a.a.a', 'b[0][*].a.code'];

/** What a path leads to, by the letter of the documentation. */
function walk(value: Value, parts: readonly string[]): string | undefined {
  const [part, ...rest] = parts;
  if (part === undefined) return typeof value === 'string' ? value : undefined;
  if (typeof value === 'string') return undefined;
  const next: Value[] = [];
  if (part === '[0]' || part === '[*]') {
    if (Array.isArray(value)) next.push(...(part === '[0]' ? value.slice(0, 1) : value));
  } else if (!Array.isArray(value)) {
    for (const [key, each] of Object.entries(value)) if (sameName(key, part)) next.push(each);
  }
  for (const each of next) {
    const found = walk(each, rest);
    if (found !== undefined) return found;
  }
  return undefined;
}

const sameName = (key: string, name: string) => key.replace(/[-_]/g, '').toLowerCase() === name;

/** What a name finds: the shallowest, among equals the last, one of each object. */
function search(value: Value, name: string): string | undefined {
  let level: Value[] = [value];
  while (level.length > 0) {
    let found: string | undefined;
    const below: Value[] = [];
    for (const each of level) {
      if (typeof each === 'string') continue;
      let isMatched = false;
      for (const [key, inner] of Array.isArray(each) ? each.map((item) => ['', item] as const) : Object.entries(each)) {
        if (typeof inner !== 'string') below.push(inner);
        else if (!isMatched && !Array.isArray(each) && sameName(key, name)) {
          isMatched = true;
          found = inner;
        }
      }
    }
    if (found !== undefined) return found;
    level = below;
  }
  return undefined;
}

function expected(body: Value, places: readonly string[]): string {
  for (const place of wantedPlaces(places)) {
    const parts = place.match(/\[[0*]\]|[^.[\]]+/g) ?? [];
    const roots = Array.isArray(body) ? body.filter((each) => !Array.isArray(each)) : [body];
    let found: string | undefined;
    if (!place.includes('.')) found = search(body, place);
    else for (const root of roots) found ??= walk(root, parts);
    if (found !== undefined) return found;
  }
  return '';
}

describe('made-up bodies', () => {
  it('give what a plain walk through the document gives', () => {
    const seed = fuzzSeed();
    const chance = new Random(seed);
    let values = 0;
    const value = (depth: number): Value => {
      const kind = depth === 0 ? 1 + chance.below(3) : depth > 4 ? 0 : chance.below(4);
      if (kind === 0) return `v${values++}`;
      if (kind === 1) return Array.from({ length: chance.below(4) }, () => value(depth + 1));
      return Object.fromEntries(Array.from({ length: chance.below(5) }, () => [chance.pick(KEYS), value(depth + 1)]));
    };
    let found = 0;
    for (let round = 0; round < 2_000; round++) {
      const body = value(0);
      const places = Array.from({ length: 1 + chance.below(5) }, () => chance.pick(PLACES));
      const code = expected(body, places);
      if (code !== '') found++;
      const bytes = Buffer.from(JSON.stringify(body));
      const cut = chance.below(bytes.length + 1);
      const reader = innerCodeReader(LIMIT_BYTES, places);
      reader.push(bytes.subarray(0, cut));
      reader.push(bytes.subarray(cut));
      reader.end(true, (codes) => assert.equal(innerCode(codes), code, `${places} of ${bytes}, FUZZ_SEED=${seed}`));
    }
    assert.ok(found > 400, `${found} found`);
  });
});

describe('a text that only means harm', () => {
  const WORST = ['a[*][*].a.a', 'a[0][*].a.b', '.a.a.a.c', 'aa.aa.aa.aa.a', 'aaa'];
  const BODIES: Readonly<Record<string, string>> = {
    'keys of the list in each other': '{"a":'.repeat(10_000),
    'keys of the list beside each other': `{${'"a":1,"aa":2,'.repeat(4_000)}`,
    'arrays in each other': `{"a":${'['.repeat(60_000)}`,
    'items without end': `{"a":[${'[[{"a":{"x":1}}]],'.repeat(3_600)}`,
    'long keys': `{"${'a_'.repeat(32_000)}":1}`,
    'batches in batches': '['.repeat(60_000),
  };
  for (const [what, body] of Object.entries(BODIES)) {
    it(`takes no longer with five paths than it may: ${what}`, () => {
      const bytes = Buffer.from(body);
      const timeOf = (places?: readonly string[]) => {
        const times = Array.from({ length: 9 }, () => {
          const before = process.cpuUsage();
          for (let round = 0; round < 4; round++) {
            const reader = innerCodeReader(LIMIT_BYTES, places);
            reader.push(bytes);
            reader.end(true, () => undefined);
          }
          const { user, system } = process.cpuUsage(before);
          return (user + system) / 4_000;
        });
        return Math.min(...times);
      };
      timeOf(WORST);
      const listed = timeOf(WORST);
      assert.ok(listed < 60, `${listed} ms of CPU for 64 KiB`);
    });
  }
});

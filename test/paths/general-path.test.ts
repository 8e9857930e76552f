/** What stands in a label for the values of a path: the table of the documentation, random values, and hostile paths. */
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { generalPath } from '../../src/paths/general-path';
import { ROOT } from '../support/paths';

const page = readFileSync(join(ROOT, 'docs/frameworks.md'), 'utf8');

/** The rows of the documentation. */
function documented(): readonly (readonly [path: string, label: string])[] {
  const table = page.split('<!-- general paths -->')[1]?.trim().split('\n').slice(2) ?? [];
  return table.map((row) => {
    const [path = '', label = ''] = row.match(/(?<=`)[^`|]+(?=`)/g)?.filter((text) => text.trim() !== '') ?? [];
    return [path, label] as const;
  });
}

describe('the table of docs/frameworks.md', () => {
  it('has rows', () => assert.ok(documented().length >= 25));
  for (const [path, label] of documented()) {
    it(`${path} becomes ${label}`, () => assert.equal(generalPath(path), label));
  }
});

/** Further ones, that would lengthen the page. */
const CASES: Readonly<Record<string, string>> = {
  '': '',
  '/': '/',
  '//': '//',
  '*': '*',
  '/a//17/': '/a//:id/',
  '17': ':id',
  '/0': '/:id',
  '/-17': '/:id',
  '/-': '/-',
  '/a-b': '/a-b',
  '/..': '/..',
  '/.17': '/.17',
  '/17.': '/17.',
  '/@scope/name': '/@scope/name',
  '/a@b': '/a@b',
  '/a@b@c.de': '/a@b@c.de',
  '/a@.de': '/a@.de',
  '/a@b.': '/a@b.',
  '/DEADBEEFDEADBEEF': '/:hash',
  '/deadbeefdeadbeef': '/:hash',
  '/deadbeef': '/deadbeef',
  '/1234567-1234': '/:id-:id',
  '/2024-13-01': '/:id-13-01',
  '/2024-05': '/:date',
  '/1899-05-17': '/:id-05-17',
  '/2024-05-17T10:11:12.123Z': '/:date',
  '/2024-05-17 10:11': '/:date',
  '/20240517T101112Z': '/:date',
  '/20240517': '/:id',
  '/report-2024-05-17.pdf': '/report-:date.pdf',
  '/256.1.1.1': '/:ip',
  '/1.2.3': '/1.2.3',
  '/订单/12345': '/订单/:id',
  '/订单12345': '/订单:id',
  '/SKU12345': '/SKU:id',
  '/shop;jsessionid=0A1B2C3D4E5F60718293A4B5C6D7E8F9': '/shop;jsessionid=:hash',
  '/avatar-550e8400-e29b-41d4-a716-446655440000-small': '/avatar-:uuid-small',
  '/550E8400-E29B-41D4-A716-446655440000.png': '/:uuid.png',
  '/117-8d3f2c1e9b7a6054.js': '/:id-:hash.js',
  '/17-a.js': '/17-a.js',
  '/app.3f2a1b9c.chunk.js.map': '/app.:hash.chunk.js.map',
  '/index-DiwrgTda.js': '/index-:hash.js',
  '/index-C2_a-9xQ.css': '/index-:hash.css',
  '/vendor-my-app-2.js': '/vendor-my-app-2.js',
  '/UserList.js': '/UserList.js',
};

/** What an application's own words are, of which none may be lost. */
const WORDS = [
  '/api/v1/users',
  '/api/v2.1/search',
  '/oauth2callback/step-2',
  '/.well-known/openid-configuration',
  '/graphql',
  '/rpc/getUserV2Info',
  '/rpc/GetCustomerOrdersByRegion',
  '/how-to-install-node-on-ubuntu-22',
  '/i18n/en-US/utf-8',
  '/static/jquery-3.6.0.min.js',
  '/fonts/roboto-v30-latin.woff2',
  '/md5sum/base64/sha256/h264',
  '/_next/static/chunks/pages/_app.js',
  '/latin-1',
  '/Überblick/产品',
  '/a.b.c/d_e_f/~user',
];

describe('a path', () => {
  for (const [path, label] of Object.entries(CASES)) {
    it(`${path || 'that is empty'} becomes ${label || 'itself'}`, () => assert.equal(generalPath(path), label));
  }
  for (const path of WORDS) it(`${path} stays`, () => assert.equal(generalPath(path), path));
});

const ALPHABETS = {
  base62: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
  base64url: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
  base36: 'abcdefghijklmnopqrstuvwxyz0123456789',
  crockford: '0123456789ABCDEFGHJKMNPQRSTVWXYZ',
} as const;
const random = (alphabet: keyof typeof ALPHABETS, length: number) =>
  Array.from(randomBytes(length), (byte) => ALPHABETS[alphabet][byte % ALPHABETS[alphabet].length]).join('');
const hex = (bytes: number) => randomBytes(bytes).toString('hex');
const number = () => String(Math.floor(Math.random() * 10 ** (1 + Math.floor(Math.random() * 15))));

interface Kind {
  readonly name: string;
  readonly make: () => string;
  readonly label: string;
  /** Of a thousand, how many may stay or become another kind: a random text may look like a word. */
  readonly others: number;
}

const KINDS: readonly Kind[] = [
  { name: 'numbers', make: number, label: ':id', others: 0 },
  { name: 'UUIDs', make: randomUUID, label: ':uuid', others: 0 },
  { name: 'UUIDs in upper case', make: () => randomUUID().toUpperCase(), label: ':uuid', others: 0 },
  // what has only figures is a number, and what has only letters from a to f a word
  { name: 'hashes of 8', make: () => hex(4), label: ':hash', others: 60 },
  { name: 'MongoDB ObjectIds', make: () => hex(12), label: ':hash', others: 1 },
  { name: 'SHA-1', make: () => createHash('sha1').update(hex(4)).digest('hex'), label: ':hash', others: 0 },
  { name: 'SHA-256', make: () => hex(32), label: ':hash', others: 0 },
  { name: 'ULIDs', make: () => `01${random('crockford', 24)}`, label: ':ulid', others: 1 },
  { name: 'KSUIDs', make: () => random('base62', 27), label: ':token', others: 30 },
  { name: 'CUIDs', make: () => `c${random('base36', 24)}`, label: ':token', others: 10 },
  { name: 'nanoids', make: () => random('base64url', 21), label: ':token', others: 100 },
  { name: 'tokens of 43', make: () => randomBytes(32).toString('base64url'), label: ':token', others: 40 },
  {
    name: 'JSON Web Tokens',
    make: () => [27, 60, 43].map((n) => random('base64url', n)).join('.'),
    label: ':token',
    others: 1,
  },
  { name: 'e-mail addresses', make: () => `${random('base36', 8)}@example.com`, label: ':email', others: 0 },
  { name: 'files of webpack', make: () => `main.${hex(10)}.js`, label: 'main.:hash.js', others: 1 },
  { name: 'files of Next.js', make: () => `framework-${hex(8)}.js`, label: 'framework-:hash.js', others: 1 },
  { name: 'files of Vite', make: () => `index-${random('base64url', 8)}.js`, label: 'index-:hash.js', others: 60 },
];
const TIMES = 2_000;

describe('random values', () => {
  for (const { name, make, label, others } of KINDS) {
    it(`${name} become ${label}`, (test) => {
      const labels = new Map<string, number>();
      for (let n = 0; n < TIMES; n++) {
        const found = generalPath(`/first/${make()}/last`);
        labels.set(found, (labels.get(found) ?? 0) + 1);
      }
      const missed = TIMES - (labels.get(`/first/${label}/last`) ?? 0);
      test.diagnostic(`${((missed * 1000) / TIMES).toFixed(1)} of a thousand are something else`);
      assert.ok(missed * 1000 <= others * TIMES, `${missed} of ${TIMES}: ${[...labels.keys()].slice(0, 5)}`);
    });
  }

  it('leave everything but themselves, and a second time changes nothing', () => {
    const separators = ['/', '//', '-', '.', '_', '@', '%', ' ', '中', '\u0000', ';', '=', '\ud800'];
    const pick = <T>(from: readonly T[]) => from[Math.floor(Math.random() * from.length)] as T;
    for (let n = 0; n < 20_000; n++) {
      const parts = Array.from({ length: Math.floor(Math.random() * 12) }, () =>
        pick([pick(separators), pick(KINDS).make(), pick(['users', 'v1', 'Über', 'a'])]),
      );
      const path = `/${parts.join('')}`;
      const label = generalPath(path);
      assert.equal(generalPath(label), label, path);
      if (path.length < 128) assert.equal(label.split('/').length, path.split('/').length, path);
      assert.ok(label.length <= Math.max(path.length * 2, 512), path);
    }
  });
});

describe('a hostile path', () => {
  const BYTES = 8 * 1024;
  const repeated = (text: string) => `/${text.repeat(BYTES / text.length)}`;
  const hostile: Readonly<Record<string, string>> = {
    'of slashes': repeated('/'),
    'of figures': repeated('1'),
    'of short segments': repeated('a/'),
    'of short values': repeated('1/'),
    'of dots': repeated('.'),
    'of at signs': repeated('a@'),
    'of hexadecimal digits and dashes': repeated('0123456-'),
    'of nearly UUIDs': repeated('550e8400-e29b-41d4-a716-44665544000/'),
    'of nearly dates': repeated('2024-05-1/2024-05-17T10:1'),
    'of segments that are nearly too long': repeated(`${'a1-'.repeat(42)}b/`),
    'of nearly tokens': repeated(`${'aB3_'.repeat(31)}!/`),
    'of file names': repeated('a-1b2c3d4e.f5a6b7c8.js/'),
    'of long file names': repeated(`${'1a.'.repeat(41)}js/`),
    'of letters that are none of ASCII': repeated('中1'),
  };
  /** Of the processor; the worst found is a quarter of it. */
  const MOST_MICROSECONDS = 200;
  for (const [name, path] of Object.entries(hostile)) {
    it(`${name} takes a bounded time, and has no more than a label shows`, (test) => {
      const times = 500;
      for (let n = 0; n < 500; n++) generalPath(path);
      let least = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 5; round++) {
        const started = process.cpuUsage();
        for (let n = 0; n < times / 5; n++) generalPath(path);
        const { user, system } = process.cpuUsage(started);
        least = Math.min(least, (user + system) / (times / 5));
      }
      test.diagnostic(`${least.toFixed(1)} µs`);
      assert.ok(least < MOST_MICROSECONDS, `${least} µs`);
      const label = generalPath(path);
      assert.ok(label === path || label.length <= 512, String(label.length));
    });
  }

  it('is ordinary in nearly every request, and costs about a microsecond', (test) => {
    const paths = ['/orders/17/items/3', '/api/v1/users/4711', '/assets/index-Bc12ab9.js', '/static/css/site.css'];
    for (let n = 0; n < 20_000; n++) generalPath(paths[n % 4] as string);
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 10; round++) {
      const started = process.cpuUsage();
      for (let n = 0; n < 20_000; n++) generalPath(paths[n % 4] as string);
      const { user, system } = process.cpuUsage(started);
      least = Math.min(least, (user + system) / 20_000);
    }
    test.diagnostic(`${least.toFixed(2)} µs`);
    assert.ok(least < 4, `${least} µs`);
  });
});

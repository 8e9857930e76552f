import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePartnerDirectory } from '../../src/partners/check';
import { PartnerDirectory } from '../../src/partners/directory';

type Entries = Readonly<Record<string, { partner: string; aliases?: string[]; paths?: Record<string, string> }>>;

function hostsOf(hosts: Entries) {
  const loaded = parsePartnerDirectory({ hosts });
  assert.deepEqual(loaded.problems, []);
  return loaded.hosts;
}

describe('a host of the directory', () => {
  const directory = new PartnerDirectory(
    hostsOf({
      'Pay.Example.com': { partner: 'plain' },
      'pay.example.com:8443': { partner: '8443' },
      'secure.example:443': { partner: '443', aliases: ['ALIAS.example.:444', '10.0.0.7'] },
      'bücher.example': { partner: 'idn' },
      '[2001:DB8:0:0::1]:8443': { partner: 'v6' },
      '[::1]': { partner: 'loop' },
      'dot.example.': { partner: 'dot' },
    }),
  );
  const cases: readonly [protocol: string, hostname: string, port: number | undefined, partner: string | undefined][] =
    [
      ['http:', 'pay.example.com', undefined, 'plain'],
      ['http:', 'PAY.example.COM', 80, 'plain'],
      ['https:', 'pay.example.com', undefined, 'plain'],
      ['https:', 'pay.example.com', 443, 'plain'],
      ['http:', 'pay.example.com.', undefined, 'plain'],
      // the default port of the other scheme is none of this one's
      ['http:', 'pay.example.com', 443, undefined],
      ['https:', 'pay.example.com', 80, undefined],
      ['https:', 'pay.example.com', 8443, '8443'],
      ['http:', 'pay.example.com', 8443, '8443'],
      ['https:', 'pay.example.com', 8444, undefined],
      ['https:', 'secure.example', undefined, '443'],
      ['http:', 'secure.example', undefined, undefined],
      ['http:', 'secure.example', 443, '443'],
      ['http:', 'alias.example', 444, '443'],
      ['http:', '10.0.0.7', undefined, '443'],
      ['http:', 'bücher.example', undefined, 'idn'],
      ['http:', 'BÜCHER.example', undefined, 'idn'],
      ['http:', 'xn--bcher-kva.example', undefined, 'idn'],
      ['http:', '[2001:db8::1]', 8443, 'v6'],
      ['http:', '2001:db8::1', 8443, 'v6'],
      ['http:', '2001:0DB8:0:0:0:0:0:1', 8443, 'v6'],
      ['http:', '2001:db8::2', 8443, undefined],
      ['http:', '::1', undefined, 'loop'],
      ['http:', 'fe80::1%eth0', undefined, undefined],
      ['http:', 'dot.example', undefined, 'dot'],
      ['http:', 'other.example', undefined, undefined],
      ['http:', '', undefined, undefined],
      ['http:', '.', undefined, undefined],
      ['http:', '[', undefined, undefined],
      ['http:', '\ud800', undefined, undefined],
      ['ftp:', 'pay.example.com', 21, undefined],
    ];
  for (const [protocol, hostname, port, partner] of cases) {
    it(`${protocol}//${hostname}:${port ?? ''} is ${partner ?? 'not there'}`, () => {
      assert.equal(directory.find(protocol, hostname, port)?.code, partner);
      if (partner !== undefined) assert.ok(directory.knowsHost(hostname));
    });
  }

  it('is passed over by its name alone when no entry has the name', () => {
    for (const name of ['other.example', 'OTHER.example', '2001:db8::2', 'bucher.example', '']) {
      assert.equal(directory.knowsHost(name), false, name);
    }
  });
});

describe('a path of a partner', () => {
  const paths = {
    '/orders/:id': 'one',
    '/orders/open': 'exact',
    '/orders/:id/items/:item': 'item',
    '/static/*': 'rest',
    '/:any/last': 'any',
    '/a.b/(c)/:d': 'signs',
    '/%E4%B8%AD/:id': 'encoded',
    '/': 'root',
  };
  const partner = new PartnerDirectory(hostsOf({ h: { partner: '1', paths } })).find('http:', 'h', undefined);
  const cases: Readonly<Record<string, string>> = {
    '/orders/7': 'one',
    '/orders/open': 'exact',
    '/orders/': '',
    '/orders': '',
    '/ORDERS/7': '',
    '/orders/7/': '',
    '/orders/7/items/8': 'item',
    '/orders/last': 'one',
    '/else/last': 'any',
    '/static/': 'rest',
    '/static/a/b': 'rest',
    '/static/a\nb': 'rest',
    '/static': '',
    '/a.b/(c)/1': 'signs',
    '/aXb/(c)/1': '',
    '/%E4%B8%AD/1': 'encoded',
    '/%e4%b8%ad/1': '',
    '/中/1': '',
    '/orders/%2F': 'one',
    '/': 'root',
    '': '',
    '*': '',
  };
  for (const [path, code] of Object.entries(cases)) {
    it(`${JSON.stringify(path)} is ${code === '' ? 'no entry' : code}`, () => {
      assert.equal(partner?.actionCode(path) ?? '', code);
    });
  }

  it('goes to the first of the patterns that match, in the order of the file', () => {
    const ordered = { '/:a/x': '1', '/b/*': '2', '/:a/*': '3' };
    const find = new PartnerDirectory(hostsOf({ h: { partner: '1', paths: ordered } })).find('http:', 'h', undefined);
    assert.deepEqual(
      ['/b/x', '/b/y', '/c/y'].map((path) => find?.actionCode(path)),
      ['1', '2', '3'],
    );
  });
});

describe("the user's file over the preset", () => {
  it('wins host by host, aliases included', () => {
    const preset = hostsOf({
      'one:1': { partner: 'preset', aliases: ['two:2', 'three:3'], paths: { '/a': '1' } },
      'four:4': { partner: 'preset' },
      'five:5': { partner: 'preset' },
    });
    const own = hostsOf({ 'TWO:2': { partner: 'own', aliases: ['five:5'] } });
    const directory = new PartnerDirectory(own, preset);
    const codes = [1, 2, 3, 4, 5].map((port) => {
      const found = directory.find('http:', ['', 'one', 'two', 'three', 'four', 'five'][port] as string, port);
      return [found?.code, found?.actionCode('/a') ?? ''];
    });
    assert.deepEqual(codes, [
      ['preset', '1'],
      ['own', ''],
      ['preset', '1'],
      ['preset', ''],
      ['own', ''],
    ]);
  });
});

/** The multipart reader is held equal to @fastify/busboy over generated bodies, whole and cut. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Busboy } from '@fastify/busboy';
import { multipartFields as fieldsIn, multipartBoundary } from '../../src/business-code/multipart';
import { Random } from '../support/random';

type Fields = [name: string, value: string][];

const BODIES = 3000;

function multipartFields(body: Buffer, boundary: string): Fields {
  return Array.from(fieldsIn(body.toString('latin1'), boundary), ({ name, start, end }) => [
    Buffer.from(name, 'latin1').toString(),
    body.toString('utf8', start, end),
  ]);
}

const BOUNDARIES = [
  'XX',
  '----WebKitFormBoundary7MA4YWxkTrZu0gW',
  "a'b+c_d,e-f.g/h=i?j",
  'x',
  '----------------------------',
];
const NAMES = ['method_code', 'Method-Code', 'a', 'a b', '中文', 'a[]', 'x=y', 'semi;colon', 'ünï', 'a:b'];
const VALUE_PIECES = [
  '1',
  'M1',
  '\r\n',
  '\r',
  '\n',
  '--',
  '-',
  '中',
  '=',
  '"',
  ' ',
  '\0',
  '\r\n--',
  '\r\n-',
  '{"a":1}',
  'x'.repeat(300),
];
const PREAMBLES = ['', '', '', '\r\n', 'This is a preamble.\r\n', 'two\r\nlines\r\n'];
const EPILOGUES = ['', '\r\n', '\r\nepilogue', '\r\n\r\n'];

class Generator extends Random {
  value(boundary: string): string {
    const text = Array.from({ length: this.below(6) }, () =>
      this.pick([...VALUE_PIECES, boundary, `--${boundary}`]),
    ).join('');
    // a value that holds the delimiter ends there: no sender picks such a boundary
    return `\r\n${text}\r\n--${boundary}`.indexOf(`\r\n--${boundary}`) === text.length + 2 ? text : 'plain';
  }

  part(boundary: string): string {
    const name = this.pick(NAMES);
    const isToken = /^[\w-]+$/.test(name);
    const quoted = isToken && this.below(3) === 0 ? name : `"${name}"`;
    const file = this.pick([
      '',
      '',
      '',
      '; filename="a.txt"',
      '; filename=""',
      '; filename=a.txt',
      "; filename*=UTF-8''a.txt",
    ]);
    const header = this.pick(['Content-Disposition', 'content-disposition', 'CONTENT-DISPOSITION']);
    const disposition = `${header}:${this.pick([' ', '', '  '])}form-data;${this.pick([' ', ''])}name=${quoted}${file}`;
    const others = ['Content-Type: text/plain', 'Content-Type: text/plain; charset=utf-8', 'X-Other: name="no"'].filter(
      () => this.below(4) === 0,
    );
    const headers = this.below(2) === 0 ? [disposition, ...others] : [...others, disposition];
    return `${headers.join('\r\n')}\r\n\r\n${this.value(boundary)}`;
  }

  body(boundary: string): Buffer {
    const parts = Array.from({ length: 1 + this.below(4) }, () => `--${boundary}\r\n${this.part(boundary)}\r\n`);
    return Buffer.from(`${this.pick(PREAMBLES)}${parts.join('')}--${boundary}--${this.pick(EPILOGUES)}`);
  }
}

async function fieldsByBusboy(body: Buffer, contentType: string): Promise<Fields> {
  const fields: Fields = [];
  const parser = new Busboy({ headers: { 'content-type': contentType } });
  parser.on('field', (name, value) => fields.push([name, value]));
  parser.on('file', (_, stream) => stream.resume());
  const end = once(parser, 'finish');
  parser.end(body);
  await end;
  return fields;
}

describe('the multipart reader', () => {
  it(`gives the fields that busboy gives, over ${BODIES} generated bodies`, async () => {
    let fields = 0;
    for (let seed = 0; seed < BODIES; seed++) {
      const generator = new Generator(seed);
      const boundary = generator.pick(BOUNDARIES);
      const isQuoted = /[^\w-]/.test(boundary) || generator.below(2) === 0;
      const contentType = `multipart/form-data; ${generator.pick(['', 'charset=utf-8; '])}boundary=${isQuoted ? `"${boundary}"` : boundary}`;
      const body = generator.body(boundary);
      const expected = await fieldsByBusboy(body, contentType);
      const note = `seed ${seed}: ${JSON.stringify(body.toString())}`;
      assert.equal(multipartBoundary(contentType), boundary, note);
      assert.deepEqual(multipartFields(body, boundary), expected, note);
      fields += expected.length;

      // of a body that was cut, the fields in front of the cut
      const cut = multipartFields(body.subarray(0, generator.below(body.length)), boundary);
      assert.deepEqual(cut, expected.slice(0, cut.length), `cut, ${note}`);
    }
    assert.ok(fields > BODIES, 'the bodies hold fields');
  });

  it('gives whole fields only, wherever a body is cut', () => {
    const body = Buffer.from(part('a', '1') + part('method_code', '中文') + part('b', '2').concat('--XX--\r\n'));
    const whole = multipartFields(body, 'XX');
    assert.deepEqual(whole, [
      ['a', '1'],
      ['method_code', '中文'],
      ['b', '2'],
    ]);
    for (let length = 0; length < body.length; length++) {
      const fields = multipartFields(body.subarray(0, length), 'XX');
      assert.deepEqual(fields, whole.slice(0, fields.length));
    }
  });

  const part = (name: string, value: string) =>
    `--XX\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;

  const cases: readonly (readonly [what: string, body: string, fields: Fields])[] = [
    ['an empty body', '', []],
    ['a body of its end alone', '--XX--\r\n', []],
    ['a body that is no multipart', '{"method_code":"1"}', []],
    ['another boundary', part('a', '1').replaceAll('XX', 'YY'), []],
    [
      'white space behind the boundary, as RFC 2046 allows',
      `${part('a', '1').replace('XX', 'XX \t')}--XX--`,
      [['a', '1']],
    ],
    ['a boundary that begins a longer line', `${part('a', '1')}--XXY\r\n\r\n--XX--`, [['a', '1']]],
    ['a part without headers', '--XX\r\n\r\nvalue\r\n--XX--', []],
    ['a part without a name', '--XX\r\nContent-Disposition: form-data\r\n\r\nvalue\r\n--XX--', []],
    ['an escaped quote in a name', `${part('a\\"b', '1')}--XX--`, [['a"b', '1']]],
    ['a name that looks like a file name', `${part('; filename=x', '1')}--XX--`, [['; filename=x', '1']]],
  ];
  for (const [what, body, fields] of cases) {
    it(`${what} has ${fields.length} fields`, () => {
      assert.deepEqual(multipartFields(Buffer.from(body), 'XX'), fields);
    });
  }

  it('looks at a thousand parts at most, with a name or without', () => {
    assert.equal(multipartFields(Buffer.from(part('a', '1').repeat(5000)), 'XX').length, 1000);
    const nameless = '--XX\r\n\r\nvalue\r\n';
    for (const [parts, fields] of [
      [999, 1],
      [1000, 0],
    ] as const) {
      const body = nameless.repeat(parts) + part('a', '1').concat('--XX--');
      assert.equal(multipartFields(Buffer.from(body), 'XX').length, fields);
    }
  });

  it('takes time in proportion to the body', () => {
    const hostile = [
      `--XX\r\nContent-Disposition: form-data${'; a="'.repeat(12_000)}`,
      `--XX\r\n${'Content-Disposition: form-data; '.repeat(2000)}\r\n\r\nx\r\n--XX--`,
      '\r\n--XX'.repeat(10_000),
      `--XX\r\nContent-Disposition: form-data; name="${'\\"'.repeat(30_000)}\r\n\r\nx\r\n--XX--`,
      `--XX\r\nContent-Disposition: ${';'.repeat(60_000)}\r\n\r\nx\r\n--XX--`,
      `--XX\r\nContent-Disposition: ;${' '.repeat(60_000)}\r\n\r\nx\r\n--XX--`,
      `--XX\r\nContent-Disposition: ;${'name '.repeat(12_000)}\r\n\r\nx\r\n--XX--`,
    ];
    for (const body of hostile) {
      const started = process.hrtime.bigint();
      multipartFields(Buffer.from(body), 'XX');
      assert.ok(process.hrtime.bigint() - started < 1_000_000_000n, `within a second: ${body.slice(0, 60)}`);
    }
  });
});

describe('the boundary of a Content-Type', () => {
  const cases: readonly (readonly [contentType: string, boundary: string | undefined])[] = [
    ['multipart/form-data; boundary=XX', 'XX'],
    ['multipart/form-data;boundary=XX', 'XX'],
    ['multipart/form-data; BOUNDARY="X X"', 'X X'],
    ['multipart/form-data; charset=utf-8; boundary=XX; a=b', 'XX'],
    ['multipart/form-data; xboundary=no; boundary=yes', 'yes'],
    ['multipart/form-data', undefined],
    ['multipart/form-data; boundary', undefined],
    ['multipart/form-data; boundary=', undefined],
    [`multipart/form-data; boundary=${'x'.repeat(70)}`, 'x'.repeat(70)],
    [`multipart/form-data; boundary=${'x'.repeat(71)}`, undefined],
    ['multipart/form-data; a="; boundary=no"; boundary=yes', 'yes'],
  ];
  for (const [contentType, boundary] of cases) {
    it(`${contentType} has ${boundary ?? 'none'}`, () => assert.equal(multipartBoundary(contentType), boundary));
  }
});

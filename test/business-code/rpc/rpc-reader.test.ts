import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { AnswerHead } from '../../../src/business-code/code-reader';
import { innerCode, innerRpcReader, partnerCode, partnerRpcReader } from '../../../src/business-code/codes';
import { totalKeptBytes } from '../../../src/business-code/kept-bytes';
import { rpcKindOf } from '../../../src/business-code/rpc/kind';

const LIMIT = 64 * 1024;
const WEB = 'application/grpc-web+proto';
const WEB_TEXT = 'application/grpc-web-text';
const CONNECT = 'application/connect+json';
const GIBIBYTES = 4 * 1024 ** 3 - 1;

function frame(flags: number, content: string | Buffer, length = Buffer.byteLength(content)): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, Buffer.from(content)]);
}

function head(headers: Readonly<Record<string, string>>, trailers: Readonly<Record<string, unknown>> = {}): AnswerHead {
  return { header: (name) => headers[name], trailer: (name) => trailers[name] };
}

interface Body {
  readonly type: string;
  readonly bytes: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isWhole?: boolean;
  readonly limitBytes?: number;
}

/** Cut into chunks of so many bytes. @returns code and outcome */
function read({ type, bytes, headers = {}, isWhole = true, limitBytes = LIMIT }: Body, chunkBytes: number): string {
  const reader = innerRpcReader(head({ 'content-type': type, ...headers }), limitBytes);
  assert.ok(reader);
  reader.setEncoding(headers['content-encoding']);
  for (let at = 0; at < bytes.length; at += chunkBytes) reader.push(bytes.subarray(at, at + chunkBytes));
  let code = 'not called';
  reader.end(isWhole, (codes) => {
    code = innerCode(codes, () => 1);
  });
  return `${code} ${reader.outcome}`;
}

const MESSAGE = frame(0, 'message');
const TRAILERS = 'grpc-status: 5\r\ngrpc-message: not there\r\n';
/** As several writes make it, each encoded by itself. */
const text = (...parts: Buffer[]) => Buffer.from(parts.map((part) => part.toString('base64')).join(''));
const all = Buffer.concat;

const BODIES: readonly (Body & { title: string; expect: string })[] = [
  {
    title: 'trailers behind messages',
    type: WEB,
    bytes: all([MESSAGE, MESSAGE, frame(0x80, TRAILERS)]),
    expect: '5 failed',
  },
  { title: 'trailers alone', type: WEB, bytes: frame(0x80, 'grpc-status:0'), expect: '0 ok' },
  {
    title: 'a status behind long trailers',
    type: WEB,
    bytes: frame(0x80, `a: ${'b'.repeat(200_000)}\r\n${TRAILERS}`),
    expect: '5 failed',
  },
  { title: 'a status in upper case', type: WEB, bytes: frame(0x80, 'X: 1\nGRPC-STATUS:  16  \n'), expect: '16 failed' },
  { title: 'a method that is not there', type: WEB, bytes: frame(0x80, 'grpc-status: 12\r\n'), expect: '12 unknown' },
  { title: 'a message of no bytes', type: WEB, bytes: all([frame(0, ''), frame(0x80, TRAILERS)]), expect: '5 failed' },
  {
    title: 'a message that looks like trailers',
    type: WEB,
    bytes: all([frame(0, frame(0x80, TRAILERS)), frame(0x80, 'grpc-status: 0\r\n')]),
    expect: '0 ok',
  },
  {
    title: 'what follows the trailers',
    type: WEB,
    bytes: all([frame(0x80, TRAILERS), frame(0x80, 'grpc-status: 0\r\n')]),
    expect: '5 failed',
  },
  {
    title: 'a status in the head, without a body',
    type: WEB,
    headers: { 'grpc-status': '3' },
    bytes: Buffer.alloc(0),
    expect: '3 failed',
  },
  { title: 'trailers without a status', type: WEB, bytes: frame(0x80, 'x: 1\r\n'), expect: '-1 unknown' },
  { title: 'trailers of no bytes', type: WEB, bytes: frame(0x80, ''), expect: '-1 unknown' },
  { title: 'a status that is a word', type: WEB, bytes: frame(0x80, 'grpc-status: five\r\n'), expect: '-1 unknown' },
  {
    title: 'a status of many digits',
    type: WEB,
    bytes: frame(0x80, `grpc-status: ${'1'.repeat(50_000)}\r\n`),
    expect: '-1 unknown',
  },
  {
    title: 'a status as part of a value',
    type: WEB,
    bytes: frame(0x80, 'x: grpc-status: 5\r\n'),
    expect: '-1 unknown',
  },
  { title: 'compressed trailers', type: WEB, bytes: frame(0x81, gzipSync(TRAILERS)), expect: '-1 unknown' },
  {
    title: 'trailers that break off',
    type: WEB,
    bytes: frame(0x80, TRAILERS).subarray(0, -1),
    isWhole: false,
    expect: '-1 unknown',
  },
  { title: 'trailers of a huge length', type: WEB, bytes: frame(0x80, TRAILERS, GIBIBYTES), expect: '-1 unknown' },
  {
    title: 'a message of a huge length',
    type: WEB,
    bytes: all([frame(0, '', GIBIBYTES), frame(0x80, TRAILERS)]),
    expect: '-1 unknown',
  },
  {
    title: 'a body compressed as a whole',
    type: WEB,
    headers: { 'content-encoding': 'gzip' },
    bytes: gzipSync(frame(0x80, TRAILERS)),
    expect: '-1 unknown',
  },
  { title: 'JSON in place of frames', type: WEB, bytes: Buffer.from('{"code":"7"}'), expect: '-1 unknown' },
  { title: 'a limit of no bytes', type: WEB, limitBytes: 0, bytes: frame(0x80, TRAILERS), expect: '-1 unknown' },
  { title: 'base64', type: WEB_TEXT, bytes: text(all([MESSAGE, frame(0x80, TRAILERS)])), expect: '5 failed' },
  {
    title: 'base64 with padding in its middle',
    type: `${WEB_TEXT}+proto`,
    bytes: text(MESSAGE, frame(0, 'xy'), frame(0x80, TRAILERS)),
    expect: '5 failed',
  },
  {
    title: 'much base64',
    type: WEB_TEXT,
    bytes: text(frame(0, 'z'.repeat(100_000)), frame(0x80, TRAILERS)),
    expect: '5 failed',
  },
  {
    title: 'base64 with a fault',
    type: WEB_TEXT,
    bytes: Buffer.from(`AAAA!${text(frame(0x80, TRAILERS))}`),
    expect: '-1 unknown',
  },
  {
    title: 'base64 that begins with padding',
    type: WEB_TEXT,
    bytes: Buffer.from(`==AA${text(frame(0x80, TRAILERS))}`),
    expect: '-1 unknown',
  },
  {
    title: 'base64 with padding before a character',
    type: WEB_TEXT,
    bytes: Buffer.from(`AA=A${text(frame(0x80, TRAILERS))}`),
    expect: '-1 unknown',
  },
  {
    title: 'the end of a stream',
    type: CONNECT,
    bytes: all([frame(0, '{"code":"1"}'), frame(2, '{}')]),
    expect: ' ok',
  },
  {
    title: 'the error at the end of a stream',
    type: CONNECT,
    bytes: all([MESSAGE, frame(2, '{"error":{"code":"aborted","message":"no"},"metadata":{"code":["x"]}}')]),
    expect: 'aborted failed',
  },
  {
    title: 'a stream of a method that is not there',
    type: CONNECT,
    bytes: frame(2, '{"error":{"code":"unimplemented"}}'),
    expect: 'unimplemented unknown',
  },
  {
    title: 'a compressed end of a stream',
    type: CONNECT,
    headers: { 'connect-content-encoding': 'gzip' },
    bytes: frame(3, gzipSync('{"error":{"code":"internal"}}')),
    expect: 'internal failed',
  },
  {
    title: 'a compressed end in an unknown format',
    type: CONNECT,
    headers: { 'connect-content-encoding': 'lzma' },
    bytes: frame(3, gzipSync('{}')),
    expect: '-1 unknown',
  },
  { title: 'an end that is no JSON', type: CONNECT, bytes: frame(2, '{"error":'), expect: '-1 unknown' },
  {
    title: 'an end that breaks off',
    type: CONNECT,
    bytes: frame(2, '{"error":{"code":"aborted"}}').subarray(0, -1),
    expect: '-1 unknown',
  },
  {
    title: 'an end over the limit',
    type: CONNECT,
    bytes: frame(2, `{"metadata":{"x":["${'y'.repeat(LIMIT)}"]},"error":{"code":"aborted"}}`),
    expect: '-1 unknown',
  },
  { title: 'a stream without an end', type: CONNECT, bytes: MESSAGE, expect: '-1 unknown' },
  {
    title: 'a message of a unary method',
    type: 'application/proto',
    bytes: Buffer.from('{"code":"8"}'),
    expect: '-1 ok',
  },
];

describe('the status of a remote method', () => {
  for (const { title, expect, ...body } of BODIES) {
    it(`is ${expect.trim()} of ${title}, however it is cut`, () => {
      for (const chunkBytes of [Number.POSITIVE_INFINITY, 1, 3, 1000]) {
        if (body.bytes.length > 100_000 && chunkBytes === 3) continue;
        assert.equal(read(body, chunkBytes), expect, `${chunkBytes}`);
      }
      assert.equal(totalKeptBytes(), 0);
    });
  }

  it('is that of the trailers, of gRPC, whatever is in the messages', () => {
    for (const [status, expect] of [
      ['5', '5'],
      [0, '0'],
      [['3', '4'], '3'],
      ['5, 5', '-1'],
      [undefined, '-1'],
      ['', '-1'],
    ]) {
      const reader = partnerRpcReader(head({ 'content-type': 'application/grpc' }, { 'grpc-status': status }), LIMIT);
      reader?.push(Buffer.from('{"code":"9"}'));
      reader?.end(true, (codes) => assert.equal(partnerCode(codes), expect));
    }
  });

  it('is read from texts as from bytes', () => {
    const reader = innerRpcReader(head({ 'content-type': WEB_TEXT }), LIMIT);
    const body = text(MESSAGE, frame(0x80, TRAILERS)).toString();
    reader?.push(body.slice(0, 7));
    reader?.push(Buffer.from(body.slice(7)).toString('hex'), 'hex');
    reader?.end(true, (codes) => assert.equal(innerCode(codes), '5'));
    assert.equal(reader?.outcome, 'failed');
  });

  it('takes no memory for what it skips, and no time for what it does not read', () => {
    const reader = innerRpcReader(head({ 'content-type': WEB }), LIMIT);
    const block = Buffer.alloc(1024 * 1024, 0x41);
    reader?.push(frame(0, '', 256 * block.length));
    const began = process.cpuUsage();
    for (let n = 0; n < 256; n++) reader?.push(block);
    const { user } = process.cpuUsage(began);
    assert.ok(user < 50_000, `${user} µs for 256 MiB of a message`);
    reader?.push(frame(0x80, TRAILERS));
    reader?.end(true, (codes) => assert.equal(innerCode(codes), '5'));
  });

  it('takes no memory for long trailers', () => {
    const reader = innerRpcReader(head({ 'content-type': WEB }), LIMIT);
    const block = Buffer.alloc(1024 * 1024, 0x41);
    reader?.push(frame(0x80, '', GIBIBYTES));
    const before = process.memoryUsage();
    for (let n = 0; n < 256; n++) reader?.push(block);
    const after = process.memoryUsage();
    assert.ok(after.heapUsed + after.external - before.heapUsed - before.external < 4 * 1024 * 1024);
    reader?.end(true, (codes) => assert.equal(innerCode(codes), '-1'));
  });
});

describe('the kind of a remote method', () => {
  const kinds: readonly (readonly [string | undefined, string | undefined])[] = [
    ['application/grpc', 'grpc'],
    ['application/grpc+proto', 'grpc'],
    ['Application/GRPC+json; charset=utf-8', 'grpc'],
    ['application/grpc-web', 'grpc-web'],
    ['application/grpc-web+thrift', 'grpc-web'],
    ['application/grpc-web-text; x=1', 'grpc-web-text'],
    ['application/connect+proto', 'connect'],
    ['application/proto', 'proto'],
    ['application/grpcx', undefined],
    ['application/grpc-webby', undefined],
    ['application/connect', undefined],
    ['application/protobuf', undefined],
    ['application/json', undefined],
    ['', undefined],
    [undefined, undefined],
    [`application/grpc${' '.repeat(100_000)}`, 'grpc'],
  ];
  for (const [type, kind] of kinds) {
    it(`is ${kind} of ${type?.slice(0, 40)}`, () => assert.equal(rpcKindOf(type), kind));
  }
});

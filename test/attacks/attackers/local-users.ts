/** Processes of the same user that reach the hub's socket. Forged counts are not among them: docs/security.md. */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { encodeFrame, type MemberMessage, PROTOCOL_VERSION } from '../../../src/processes/protocol';
import { SYSCODE } from '../../support/app';
import { type Attack, connecting, hubSocket } from '../attack';

const hello = (syscode: string): MemberMessage => ({
  type: 'hello',
  version: PROTOCOL_VERSION,
  syscode,
  member: randomBytes(8).toString('hex'),
  pid: 1,
  isThread: true,
});

/** A length and bytes that are no message. */
function frame(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(text));
  return Buffer.concat([length, Buffer.from(text)]);
}

/** What a hub must refuse, in turn. */
const MALFORMED: readonly (() => Buffer)[] = [
  () => randomBytes(512),
  () => Buffer.from([0xff, 0xff, 0xff, 0xff, 0x7b]),
  () => frame('{"type":"hello"'),
  () => frame(`{"type":"hello","nested":${'['.repeat(400)}${']'.repeat(400)}}`),
  () => encodeFrame({ type: 'collected', id: 1 }),
  () => encodeFrame(hello('B999999999')),
  () => Buffer.concat([encodeFrame(hello(SYSCODE)), encodeFrame(hello(SYSCODE))]),
  () => Buffer.concat([encodeFrame(hello(SYSCODE)), frame('{"type":"batch","number":"1","deltas":[{}]}')]),
  () => Buffer.concat([encodeFrame(hello(SYSCODE)), frame(`{"type":"batch","x":"${'x'.repeat(900_000)}"}`)]),
];

let turn = 0;
const writeMalformed = (socket: Socket) => socket.write((MALFORMED[turn++ % MALFORMED.length] as () => Buffer)());

export const LOCAL_USERS: readonly Attack[] = [
  connecting('silent connections to the hub', { perSecond: 25, connections: 200 }, hubSocket, () => undefined),
  connecting('malformed messages to the hub', { perSecond: 10, connections: 50 }, hubSocket, writeMalformed),
];

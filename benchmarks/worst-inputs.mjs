/**
 * node benchmarks/worst-inputs.mjs [--seconds 90] [--seed 1] [--only form,query]: searches, for each reader of what others
 * send, the input that costs the most time, by hill climbing over fragments of its grammar. After `npm run build`. The
 * seconds are those of the whole run; the readers share them, and each is printed when it is done.
 *
 * An input is a beginning and a list of fragments that is repeated until it fills 64 KiB (a query: 15 KiB). A climb begins with the worst of
 * random lists and keeps each change that costs more. The worst found is measured again, the least of many runs, whole
 * and in chunks of several sizes. Times are those of the processor; on a busy machine they are somewhat too high. `over here`
 * is more than the goal, which a slow processor may be the reason of; `TOO SLOW`, against JSON.parse, is not, and ends with 1.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { seconds: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } },
});
const SECONDS = Number(values.seconds ?? 90);
const SEED = Number(values.seed ?? 1);
const load = (path) => createRequire(import.meta.url)(join(import.meta.dirname, '../dist/src/business-code', path));
const { findInQuery, requestBodyReader } = load('request-data.js');
const { innerCodeReader, methodCodeReader, partnerCodeReader } = load('codes.js');
const { decodePath } = load('percent-decode.js');

const BODY_BYTES = 64 * 1024;
const QUERY_BYTES = 15 * 1024;
const CHUNK_BYTES = [Number.POSITIVE_INFINITY, 4096, 256, 16, 1];
/** Of a reader's time, what is left to measure the worst again. */
const MEASURED_AGAIN = 0.3;
/** Milliseconds that the worst input may cost on a processor on which a bare request to Express 5 takes 0.12. */
const TARGETS = { body: 1, query: 0.2 };
/**
 * What it may cost on any, against JSON.parse of as long an ordinary text in the same process, which took 0.4 to 0.6 ms where
 * the worst bodies took 1.2 whole and 2.0 in chunks of a byte. A regression is several times that.
 */
const LIMITS = { whole: 5, cut: 8 };
const ORDINARY = `[${'{"code":"0","data":{"id":17,"name":"abc\u00e9","list":[1,2.5,true,null]}},'.repeat(900)}`;

const NAME = ['method_code', 'methodcode', 'm', 'method_cod', '%6d', '%6Dethod%5fcode', '-', '_', '%2d', '----'];
const URLENCODED = [
  ...NAME,
  '=',
  '&',
  '%41',
  '%',
  '%4',
  '+',
  'a',
  'a=b&',
  '=&',
  '&&',
  '%E4%B8%AD',
  '%FF',
  '\u00ff',
  '\u4e2d',
];
// JSON that is broken is not read on, so that each beginning has fragments after which the text can go on
const IN_STRING = [
  'a',
  ' ',
  '\\n',
  '\\"',
  '\\\\',
  '\\u00e9',
  '\\ud83d\\ude00',
  '\\u006d',
  '\\u0063ode',
  '\u00e9',
  '\u4e2d',
  '\ue000',
  '\ud83d\ude00',
  '-_',
  'c',
];
const ITEMS = [
  '1,',
  '-0.5e+10,',
  '0,',
  '"",',
  '"a",',
  '"\u00e9",',
  '"\\n",',
  'true,',
  'null,',
  ' ',
  '\n',
  '[],',
  '{},',
  '[',
  '{"a":[',
  '[0,',
  '{"":1},',
  '{"code":1},',
  '{"code":"x"},',
  '{"code":"\u4e2d"},',
  '{"code":"\\n"},',
  '{"\\u0063ode":1},',
  '{"cod\\u0065":"\\n"},',
  '{"c\\n":1},',
  '{"method_code":1},',
  '{"errorcode":""},',
  '{"code":true},',
  '{"code":null},',
  '{"-_":1},',
  '{"code":"\\u00e9\\u00e9"},',
  '{"errorcode":"\\n"},',
  '{"m\u00e9":1},',
  '{"code":[',
  '[{"code":1},',
  '{"a":1,"a":2},',
  '{"code":1,"code":2},',
];
const MEMBERS = [
  '"a":1,',
  '"":"",',
  '"\u00e9":1,',
  '"\\n":1,',
  '"code":null,',
  '"\\u0063":1,',
  '"c\\n":1,',
  '"\\u006d":0,',
  '"-":0,',
  '"co-_":0,',
  '"code":[],',
  '"code":{"code":1},',
  '"a":{',
  '"code":{',
  '"errorcode":"",',
  '"code":"\\u00e9",',
  '"errorcode":{"code":"\\n"},',
  '"method_code":[],',
  ' ',
  '\n',
];
const NUMBER = ['1', '0', '11111', '.1', 'e1'];
const JSON_TEXTS = {
  '[': ITEMS,
  '{': MEMBERS,
  '{"a":[': ITEMS,
  '["': IN_STRING,
  '{"': IN_STRING,
  '{"c': IN_STRING,
  '{"-': IN_STRING,
  '{"code":"': IN_STRING,
  '{"method_code":"': IN_STRING,
  '[1': NUMBER,
  '{"code":1': NUMBER,
};
const MULTIPART = [
  '--X',
  '\r\n--X',
  '\r\n',
  '\r\n\r\n',
  '--',
  '\r\n--X\r\n\r\n',
  '\r\n--X\r\nContent-Disposition: form-data; name="a"\r\n\r\n',
  '\r\n--X\r\nContent-Disposition:;name=methodcod\r\n\r\n',
  'Content-Disposition:',
  'content-disposition',
  ';',
  ';a=',
  ';a="',
  '\\"',
  '"',
  '; name=x',
  ';filename',
  '=',
  ' ',
  'a',
  '\n',
  '\u4e2d',
  '\r',
  ';a=b',
  '\r\n--X\r\nContent-Disposition:;a=b;c=d\r\n\r\n',
];

/**
 * Cut beforehand: that is not the reader's work. Chunks that are alike are one object: those that Node has just made are in
 * the processor's cache, and waiting for 65,536 that are not takes longer than reading them.
 */
const chunksOf = (bytes, chunkBytes) => {
  const known = new Map();
  const chunks = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const chunk = bytes.subarray(at, at + chunkBytes);
    const content = chunk.toString('latin1');
    if (!known.has(content)) known.set(content, chunk);
    chunks.push(known.get(content));
  }
  return chunks;
};
const bodyReader = (create) => (chunks) => {
  const reader = create();
  for (const chunk of chunks) reader.push(chunk);
  reader.end(true, () => undefined);
};
const requestBody = (contentType) => bodyReader(() => requestBodyReader(contentType, BODY_BYTES));
const textReader = (create) => (_chunks, text) => {
  const reader = create(BODY_BYTES);
  reader.push(text, 'utf8');
  reader.end(true, () => undefined);
};

/** @returns milliseconds of the processor, the least of many runs */
function yardstick(bytes) {
  const text = `${ORDINARY.slice(0, ORDINARY.lastIndexOf('},', bytes - 2) + 1)}]`;
  return cost({ read: () => JSON.parse(text) }, { bytes: Buffer.alloc(1), text }, { forMs: 100 });
}

/** `texts`: for each beginning, the fragments that may follow it. */
const READERS = {
  query: { texts: { '': URLENCODED }, bytes: QUERY_BYTES, read: (_chunks, text) => findInQuery(text) },
  path: { texts: { '/': URLENCODED }, bytes: QUERY_BYTES, read: (_chunks, text) => decodePath(text) },
  form: {
    texts: { '': URLENCODED, 'method_code=': URLENCODED },
    read: requestBody('application/x-www-form-urlencoded'),
  },
  multipart: { texts: { '--X\r\n': MULTIPART }, read: requestBody('multipart/form-data; boundary=X') },
  'multipart, long boundary': {
    texts: {
      [`${'-'.repeat(72)}\r\n\r\n\r\n`]: [
        '-',
        '--',
        '\r\n',
        '\r\n--',
        '\r',
        '\n-',
        '-'.repeat(69),
        `\r\n${'-'.repeat(71)}`,
        'X',
        '\r\n\r\n',
      ],
    },
    read: requestBody(`multipart/form-data; boundary=${'-'.repeat(70)}`),
  },
  'request JSON': {
    texts: JSON_TEXTS,
    read: bodyReader(() => methodCodeReader(BODY_BYTES)),
  },
  'response JSON': {
    texts: JSON_TEXTS,
    read: bodyReader(() => innerCodeReader(BODY_BYTES)),
  },
  'partner JSON': {
    texts: JSON_TEXTS,
    read: bodyReader(() => partnerCodeReader(BODY_BYTES)),
  },
  'response JSON as text': { texts: JSON_TEXTS, read: textReader(innerCodeReader), isWhole: true },
};

/** Mulberry32: a seed repeats the changes that are tried; what is kept depends on the clock. */
function randomNumbers(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function inputOf({ begin, unit }, { bytes: wanted = BODY_BYTES }) {
  const repeated = unit.join('');
  const text = begin + repeated.repeat(Math.ceil(wanted / Buffer.byteLength(repeated)));
  const bytes = Buffer.from(text).subarray(0, wanted);
  return { bytes, text: bytes.toString() };
}

/** @returns milliseconds of the processor that one reading takes: the least of those in so many milliseconds, and of three */
function cost(reader, { bytes, text }, { forMs = 4, chunkBytes = bytes.length } = {}) {
  const chunks = chunksOf(bytes, chunkBytes);
  let least = Number.POSITIVE_INFINITY;
  const begun = performance.now();
  for (let runs = 0; runs < 3 || performance.now() - begun < forMs; runs++) {
    const started = process.cpuUsage();
    reader.read(chunks, text);
    const { user, system } = process.cpuUsage(started);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

function search(reader, seconds, seed) {
  const below = randomNumbers(seed);
  const pick = (list) => list[below(list.length)];
  const begins = Object.keys(reader.texts);
  const random = () => {
    const begin = pick(begins);
    return { begin, unit: Array.from({ length: 1 + below(6) }, () => pick(reader.texts[begin])) };
  };
  const changed = ({ begin, unit }) => {
    const fragments = reader.texts[begin];
    const next = [...unit];
    const at = below(next.length + 1);
    const kind = below(4);
    if (kind === 0) next.splice(at, 0, pick(fragments));
    else if (kind === 1 && next.length > 1) next.splice(at % next.length, 1);
    else next[at % next.length] = pick(fragments);
    return { begin, unit: next };
  };
  let best;
  let climb;
  let sinceBetter = 0;
  let tried = 0;
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) {
    const candidate = climb === undefined || sinceBetter > 60 ? random() : changed(climb);
    if (sinceBetter > 60) climb = undefined;
    const input = inputOf(candidate, reader);
    const ms = cost(reader, input);
    tried++;
    sinceBetter++;
    if (climb === undefined || ms > climb.ms * 1.02) {
      climb = { ...candidate, ms };
      sinceBetter = 0;
    }
    if (best === undefined || ms > best.ms) best = { ...candidate, ms, input };
  }
  return { ...best, tried };
}

const only = values.only?.split(',');
const readers = Object.entries(READERS).filter(([name]) => only?.some((part) => name.includes(part)) ?? true);
const seconds = SECONDS / readers.length;

function printRow(cells) {
  const [name, ...numbers] = cells.slice(0, 2 + CHUNK_BYTES.length);
  console.log(
    [name.padEnd(26), ...numbers.map((cell) => cell.padStart(8)), ...cells.slice(1 + numbers.length)].join(' '),
  );
}

const CUT_FROM = CHUNK_BYTES.indexOf(1);

printRow([
  'reader',
  'us',
  ...CHUNK_BYTES.slice(1).map((bytes) => `in ${bytes}`),
  'at most',
  'result, JSON.parse, tried, repeated',
]);
for (const [name, reader] of readers) {
  const { input, begin, unit, tried } = search(reader, seconds * (1 - MEASURED_AGAIN), SEED);
  const forMs = (seconds * MEASURED_AGAIN * 1000) / CHUNK_BYTES.length;
  // a text comes at once
  const sizes = reader.isWhole || reader.bytes !== undefined ? CHUNK_BYTES.slice(0, 1) : CHUNK_BYTES;
  const times = sizes.map((bytes) => cost(reader, input, { forMs, chunkBytes: Math.min(bytes, input.bytes.length) }));
  const parsed = yardstick(input.bytes.length);
  const isSlow = times.some((ms, n) => ms > parsed * (n === CUT_FROM ? LIMITS.cut : LIMITS.whole));
  const target = reader.bytes === undefined ? TARGETS.body : TARGETS.query;
  const isOver = times.some((ms) => ms > target);
  const result = isSlow ? 'TOO SLOW' : isOver ? 'over here' : 'ok';
  const example = JSON.stringify(begin + unit.join('')).slice(0, 60);
  const shown = CHUNK_BYTES.map((_, n) => (times[n] === undefined ? '' : (times[n] * 1000).toFixed(0)));
  printRow([name, ...shown, `${target * 1000}`, result, `${(parsed * 1000).toFixed(0)}`, `${tried}`, example]);
  if (isSlow) process.exitCode = 1;
}

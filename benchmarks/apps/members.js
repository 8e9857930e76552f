/**
 * Members of a hub, as many as are wanted, in one process: each with the package's own side of a member, and with requests
 * that are made up. node members.js <port of the scrape> <members> <series of each> <requests a second, of all>
 */
const { join } = require('node:path');
const { answerOn } = require('../support/control');

const DIST = join(__dirname, '../../dist/src');
// the entry point first, as it loads the others in their order
require(join(DIST, 'index.js'));
const { Member } = require(join(DIST, 'processes/member.js'));
const { hubSocketPaths } = require(join(DIST, 'processes/hub-socket.js'));
const { DEFAULT_BOUNDARIES_MS } = require(join(DIST, 'views/boundaries.js'));

const [port, members, series, perSecond] = process.argv.slice(2).map(Number);
const SYSCODE = process.env.SYSCODE;
const FAMILY = {
  family: `${SYSCODE}_inner_metrics`,
  labels: ['appid', 'application', 'f_code', 'path', 'http_status', 'code', 'method_code'],
  boundaries: DEFAULT_BOUNDARIES_MS,
};
const DURATION_MS = 5;
const TICK_MS = 100;
/** All requests are in the first bucket. */
const furtherBuckets = DEFAULT_BOUNDARIES_MS.map(() => 0);
const values = Array.from({ length: series }, (_, n) => {
  return [SYSCODE.slice(0, 4), SYSCODE, 'C001', `/api/orders/${String(n).padStart(6, '0')}`, '200', '0000', ''];
});

/** Requests of one member: each of another series than the one before, so that a hand-over has as many rows as it can. */
class MadeUp {
  /** The first hand-over has each series once. */
  next = 0;
  due = series;
  taken = 0;
  isFirst = true;

  collect() {
    return Promise.resolve([]);
  }

  take() {
    const requests = Math.floor(this.due);
    this.due -= requests;
    this.taken += requests;
    const rows = Array.from({ length: Math.min(requests, series) }, (_, n) => {
      const count = Math.floor(requests / series) + (n < requests % series ? 1 : 0);
      const buckets = [count, ...furtherBuckets];
      const row = { values: values[this.next++ % series], count, sum: count * DURATION_MS, buckets };
      return this.isFirst ? { ...row, begin: Date.now() } : row;
    });
    this.isFirst = false;
    return rows.length === 0 ? [] : [{ ...FAMILY, series: rows }];
  }

  takeNow() {
    return this.take();
  }
}

const all = Array.from({ length: members }, () => {
  const source = new MadeUp();
  return { source, member: new Member(SYSCODE, source, () => console.error('a member has lost its hub')) };
});
let isAtWork = false;

setInterval(() => {
  if (!isAtWork) return;
  for (const { source, member } of all) {
    source.due += (perSecond / members) * (TICK_MS / 1000);
    member.measured();
  }
}, TICK_MS);

answerOn({
  /** Joins the hub, and hands over each series once. */
  async join() {
    const [path] = hubSocketPaths({ port, host: undefined });
    for (const { member } of all) {
      const joined = await member.connect(path);
      if (joined !== 'member') throw new Error(`a member could not join at ${path}: ${joined}`);
      await member.handOver();
    }
    isAtWork = true;
  },
  /** Makes no more requests. @returns those that were handed over */
  async end() {
    isAtWork = false;
    for (const { member } of all) await member.handOver();
    return all.reduce((sum, { source }) => sum + source.taken, 0);
  },
});
console.log('ready 0');

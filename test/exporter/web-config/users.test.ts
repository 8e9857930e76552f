/** Who may scrape: what is known again, what is compared in a thread, and what is turned away without work. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { hashSync } from 'bcryptjs';
import { Users, type Verdict } from '../../../src/exporter/web-config/users';
import { Verifier } from '../../../src/exporter/web-config/verifier';

const COST = 4;
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const hash = (password: string, cost = COST) => hashSync(password, cost);

/** Counts the comparisons of the real one. */
class Counted extends Verifier {
  hashes: string[] = [];
  override verify(...[comparison, address]: Parameters<Verifier['verify']>): Promise<boolean | undefined> {
    this.hashes.push(comparison.hash);
    return super.verify(comparison, address);
  }
}

let verifier: Counted;
function usersOf(entries: Readonly<Record<string, string>>): Users {
  verifier = new Counted();
  const users = new Users(verifier);
  users.use(Object.entries(entries));
  return users;
}
const count = async (verdicts: readonly (Verdict | Promise<Verdict>)[]) => {
  const counts: Partial<Record<Verdict, number>> = {};
  for (const verdict of await Promise.all(verdicts)) counts[verdict] = (counts[verdict] ?? 0) + 1;
  return counts;
};

/** The thread keeps no process, and this one has nothing else to do. */
let kept: NodeJS.Timeout;
before(() => {
  kept = setInterval(() => undefined, 1_000);
});
after(() => clearInterval(kept));
afterEach(() => verifier.end());

describe('a user', () => {
  it('is let in by each of the three forms of hash, and known again without work', async () => {
    const own = hash('pässword');
    const users = usersOf({ a: own.replace('$2b', '$2a'), b: own, y: own.replace('$2b', '$2y') });
    for (const name of ['a', 'b', 'y']) assert.equal(await users.check(basic(`${name}:pässword`), '::1'), 'right');
    assert.equal(verifier.hashes.length, 3);
    for (const name of ['a', 'b', 'y']) assert.equal(users.check(basic(`${name}:pässword`), '::1'), 'right');
    assert.equal(verifier.hashes.length, 3);
  });

  it('may have colons in the password, and no others', async () => {
    const users = usersOf({ a: hash('b:c'), 'a:b': hash('c') });
    assert.equal(await users.check(basic('a:b:c'), '::1'), 'right');
    assert.equal(users.check(basic('a'), '::1'), 'wrong');
  });

  it('is no longer let in by what was right before the hash changed', async () => {
    const users = usersOf({ a: hash('old'), b: hash('b') });
    assert.equal(await users.check(basic('a:old'), '::1'), 'right');
    assert.equal(await users.check(basic('b:b'), '::1'), 'right');
    users.use([['a', hash('new')]]);
    assert.equal(await users.check(basic('a:old'), '::1'), 'wrong');
    assert.equal(await users.check(basic('b:b'), '::1'), 'wrong');
    assert.equal(await users.check(basic('a:new'), '::1'), 'right');
  });

  it('is compared once for a thousand scrapes at a time', async () => {
    const users = usersOf({ a: hash('a') });
    const verdicts = Array.from({ length: 1_000 }, (_, n) => users.check(basic('a:a'), `10.0.0.${n % 4}`));
    assert.deepEqual(await count(verdicts), { right: 1_000 });
    assert.equal(verifier.hashes.length, 1);
  });
});

describe('somebody else', () => {
  it('is compared with a hash of the same cost where nobody has that name', async () => {
    const users = usersOf({ a: hash('a', 5), b: hash('b') });
    assert.equal(await users.check(basic('nobody:x'), '::1'), 'wrong');
    assert.equal(await users.check(basic('a:x'), '::1'), 'wrong');
    const [ofNobody = '', ofUser = ''] = verifier.hashes;
    assert.equal(ofNobody.slice(0, 7), ofUser.slice(0, 7));
    assert.equal(ofNobody.length, ofUser.length);
    assert.notEqual(ofNobody, ofUser);
  });

  it('costs no work with a header that is none, too long, or has more than bcrypt sees', () => {
    const users = usersOf({ a: hash('x'.repeat(72)) });
    const headers = [undefined, '', 'Basic', 'Bearer a', 'Basic !', basic('nocolon'), `Basic ${'A'.repeat(1_100)}`];
    for (const header of [...headers, basic(`a:${'x'.repeat(73)}`)]) {
      assert.equal(users.check(header, '::1'), 'wrong', header);
    }
    assert.deepEqual(verifier.hashes, []);
  });

  it('is turned away without work after ten wrong passwords, of which those are not a part who were right', async () => {
    const users = usersOf({ a: hash('a') });
    for (let i = 0; i < 10; i++) assert.equal(await users.check(basic(`a:${i}`), '10.0.0.1'), 'wrong');
    assert.equal(users.check(basic('a:again'), '10.0.0.1'), 'limited');
    assert.equal(users.check(basic('nobody:again'), '10.0.0.1'), 'limited');
    assert.equal(await users.check(basic('a:a'), '10.0.0.2'), 'right');
    assert.equal(users.check(basic('a:a'), '10.0.0.1'), 'right');
    assert.equal(verifier.hashes.length, 11);
  });

  it('waits among a few, of each address and of all, and there is no room for more', async () => {
    const users = usersOf({ a: hash('a') });
    const of = (address: string, wanted: number) =>
      Array.from({ length: wanted }, (_, n) => users.check(basic(`a:${address}${n}`), address));
    // the first is under way
    assert.deepEqual(await count(of('10.0.0.1', 8)), { wrong: 5, busy: 3 });
    const many = Array.from({ length: 40 }, (_, n) => of(`10.0.1.${n}`, 1)).flat();
    assert.deepEqual(await count(many), { wrong: 17, busy: 23 });
  });

  it('leaves no more than a thousand addresses behind', async () => {
    const users = usersOf({ a: hash('a') });
    for (let n = 0; n < 1_100; n++) void users.check(basic(`a:${n}`), `address ${n}`);
    const { wrong } = users as unknown as { wrong: Map<string, unknown> };
    assert.equal(wrong.size, 1_000);
  });
});

describe('the thread that compares', () => {
  it('takes a tenth of a processor once it has had its burst, and keeps nothing from ending', async () => {
    const users = usersOf({ a: hash('a', 10) });
    const { work } = verifier as unknown as { work: { left: number } };
    let sent = 0;
    const send = () => users.check(basic(`a:${sent}`), `address ${sent++}`);
    while (work.left > 1) assert.equal(await send(), 'wrong');
    // without a limit all of this time would be owed
    const until = performance.now() + 3_000;
    while (performance.now() < until) await Promise.race([send(), new Promise((resolve) => setTimeout(resolve, 100))]);
    assert.ok(work.left > -1_500, `${-work.left} ms are owed`);
  });

  it('ends when it is told to, and what waits has no answer', async () => {
    const users = usersOf({ a: hash('a', 10) });
    const verdicts = Array.from({ length: 3 }, (_, n) => users.check(basic(`a:${n}`), '::1'));
    verifier.end();
    assert.deepEqual(await count(verdicts), { busy: 3 });
    assert.equal(await users.check(basic('a:a'), '::2'), 'right');
  });
});

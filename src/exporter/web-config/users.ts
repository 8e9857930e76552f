/**
 * Who may scrape: users by name and bcrypt hash. A password that was right is known again by a keyed digest; one that is
 * not known costs work in a thread, for which there is a limit of each address and of all.
 *
 * What is answered, and what work is done for it, does not depend on whether there is a user of that name.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Allowance } from '../http/allowance';
import { Verifier } from './verifier';
import type { WebConfig } from './web-config';

/** `limited`: this address has sent too many wrong ones. `busy`: there is no room for one more. */
export type Verdict = 'right' | 'wrong' | 'limited' | 'busy';

/** Characters of the header: a name and a password of full length are half of it. */
const MAX_HEADER_CHARACTERS = 1_024;
/** bcrypt does not see what is beyond. */
const MAX_PASSWORD_BYTES = 72;
/** Wrong passwords of an address at once after a rest, and in a second after that. */
const WRONG_BURST = 10;
const WRONG_PER_SECOND = 1 / 6;
/** Addresses of which wrong passwords are counted, the latest. */
const MAX_ADDRESSES = 1_000;
const BASIC = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i;
/** Salt and hash of a password that nobody has; its cost is that of the users. */
const NOBODY = `${'.'.repeat(22)}${'.'.repeat(31)}`;

export class Users {
  private hashes: ReadonlyMap<string, string> = new Map();
  /** For a name that is nobody's. */
  private nobody = '';
  private readonly key = randomBytes(32);
  /** Names to digests of what was right. */
  private readonly known = new Map<string, Buffer>();
  /** Comparisons under way, by digest: a thousand scrapes at once are one. */
  private readonly pending = new Map<string, Promise<Verdict>>();
  /** Oldest first. */
  private readonly wrong = new Map<string, Allowance>();

  constructor(private readonly verifier = new Verifier()) {}

  /** Puts others in force; what was right before is so no longer where the hash has changed. */
  use(users: WebConfig['users']): void {
    this.hashes = new Map(users);
    const costs = users.map(([, hash]) => hash.slice(4, 6));
    this.nobody = `$2b$${costs.sort().at(-1)}$${NOBODY}`;
    for (const name of this.known.keys()) if (!this.hashes.has(name)) this.known.delete(name);
  }

  /** Whether anyone has to say who he is. */
  get areWanted(): boolean {
    return this.hashes.size > 0;
  }

  /**
   * @param header Authorization
   * @param address of whom wrong ones are counted
   */
  check(header: string | undefined, address: string): Verdict | Promise<Verdict> {
    const given = header === undefined ? undefined : credentials(header);
    if (given === undefined) return 'wrong';
    const { name, password } = given;
    const own = this.hashes.get(name);
    const hash = own ?? this.nobody;
    const digest = createHmac('sha256', this.key)
      .update(JSON.stringify([name, hash, password]))
      .digest();
    if (timingSafeEqual(digest, this.known.get(name) ?? this.key)) return 'right';
    const id = digest.toString('base64');
    const pending = this.pending.get(id);
    if (pending !== undefined) return pending;
    const allowance = this.wrongOf(address);
    if (!allowance.take()) return 'limited';
    const verdict = this.verifier.verify({ password, hash }, address).then((isEqual): Verdict => {
      this.pending.delete(id);
      if (isEqual !== false) allowance.giveBack();
      if (isEqual === undefined) return 'busy';
      // the users may have been exchanged meanwhile
      if (!isEqual || own === undefined || this.hashes.get(name) !== own) return 'wrong';
      this.known.set(name, digest);
      return 'right';
    });
    this.pending.set(id, verdict);
    return verdict;
  }

  end(): void {
    this.verifier.end();
  }

  private wrongOf(address: string): Allowance {
    const allowance = this.wrong.get(address) ?? new Allowance(WRONG_BURST, WRONG_PER_SECOND);
    this.wrong.delete(address);
    this.wrong.set(address, allowance);
    if (this.wrong.size > MAX_ADDRESSES) this.wrong.delete(this.wrong.keys().next().value as string);
    return allowance;
  }
}

function credentials(header: string): { name: string; password: string } | undefined {
  if (header.length > MAX_HEADER_CHARACTERS) return undefined;
  const [, encoded] = BASIC.exec(header) ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const at = text.indexOf(':');
  const password = text.slice(at + 1);
  if (at < 0 || Buffer.byteLength(password) > MAX_PASSWORD_BYTES) return undefined;
  return { name: text.slice(0, at), password };
}

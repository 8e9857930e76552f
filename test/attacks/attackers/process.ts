/**
 * The process of all attackers, so that they take no time of the one that measures. It reports the port of its hostile
 * partner, and then attacks what it is told to: one target at a time.
 */
import type { Target } from '../attack';
import { CLIENTS } from './clients';
import { LOCAL_USERS } from './local-users';
import { PARTNERS, startHostilePartner } from './partners';
import { SCRAPERS } from './scrapers';
import { selected } from './selection';

export type Order = { readonly attack: Target } | { readonly end: true };
export type Report = { readonly partnerPort: number } | { readonly ended: Readonly<Record<string, number>> };

const ATTACKS = selected([...CLIENTS, ...PARTNERS, ...SCRAPERS, ...LOCAL_USERS]);
/** Acts of each attack in the life of this process. */
const acts = new Map(ATTACKS.map(({ name }) => [name, 0]));
let stops: (() => void)[] = [];

const report = (message: Report) => process.send?.(message);

process.once('disconnect', () => process.exit(0));
process.on('message', (order: Order) => {
  if ('attack' in order) {
    stops = ATTACKS.map(({ name, start }) => start(order.attack, () => acts.set(name, (acts.get(name) ?? 0) + 1)));
    return;
  }
  for (const stop of stops) stop();
  stops = [];
  report({ ended: Object.fromEntries(acts) });
});
startHostilePartner().then(
  (partnerPort) => report({ partnerPort }),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);

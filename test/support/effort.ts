/**
 * How much of what could go on for ever a run of the tests does: random inputs, load, versions of Node.
 *
 * `npm test` does as much as finds a defect that is easy to meet; with TEST_FULL=1, which `npm run test:full` sets
 * before a release, it does as much as has found every defect so far.
 */
export const IS_FULL = process.env.TEST_FULL === '1';

/** @returns an amount of this run: requests, seconds, rounds */
export function effort(amount: { readonly short: number; readonly full: number }): number {
  return IS_FULL ? amount.full : amount.short;
}

/**
 * Runs work of our own in the middle of the application's: whatever goes wrong in it, the application does not see it.
 * @param report gets what was thrown
 * @returns the result of the work; undefined when it threw
 */
export function doNoHarm<Result>(work: () => Result, report: (error: unknown) => void): Result | undefined {
  try {
    return work();
  } catch (error) {
    try {
      report(error);
    } catch {
      // an error that throws when it is looked at
    }
    return undefined;
  }
}

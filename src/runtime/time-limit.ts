/** Waiting that ends: pauses, and limits for work that may never answer. No timer in here keeps a process alive. */

/** The work had not ended when its time was over; it may go on. */
export class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError';

  constructor(limitMs: number) {
    super(`no answer within ${limitMs} ms`);
  }
}

/** Resolves after so many milliseconds, where the process is still running by then. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/**
 * @returns what the work resolves with
 * @throws {TimeLimitError} after limitMs milliseconds; before that, what the work rejects with
 */
export async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimeLimitError(limitMs)), limitMs).unref();
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits for the work, but no longer than limitMs milliseconds.
 * @returns whether the work has ended; rejects when the work does
 */
export async function endsWithin(limitMs: number, work: Promise<unknown>): Promise<boolean> {
  try {
    await within(limitMs, work);
    return true;
  } catch (error) {
    if (error instanceof TimeLimitError) return false;
    throw error;
  }
}

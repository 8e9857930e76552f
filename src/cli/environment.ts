/** The environment that the application would have: that of the command, over the variables of a file. */
import { parseEnv } from 'node:util';
import { readText } from '../files/read-text';
import { UsageError } from './arguments';

const MAX_FILE_BYTES = 1024 * 1024;

/**
 * @param file in the format of `node --env-file`; undefined: none
 * @throws {UsageError} when it cannot be read
 */
export function environmentWith(file: string | undefined, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (file === undefined) return env;
  if (typeof parseEnv !== 'function') throw new UsageError('--env-from needs Node 20.12 or newer.');
  try {
    return { ...(parseEnv(readText(file, MAX_FILE_BYTES)) as NodeJS.ProcessEnv), ...env };
  } catch (error) {
    throw new UsageError(`--env-from cannot be read: ${(error as Error).message}`);
  }
}

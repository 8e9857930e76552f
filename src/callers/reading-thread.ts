/** Reads a callers file in a thread of its own. */
import { serveFile } from '../files/serve';
import { readCallerRules } from './file';

serveFile(readCallerRules, function* (items) {
  yield items;
  return undefined;
});

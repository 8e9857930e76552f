/** Reads a paths file in a thread of its own. */
import { serveFile } from '../files/serve';
import { readPathRules } from './file';

serveFile(readPathRules, function* (items) {
  yield items;
  return undefined;
});

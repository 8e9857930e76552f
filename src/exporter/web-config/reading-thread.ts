/** Reads a web configuration in a thread of its own. */
import { serveFile } from '../../files/serve';
import { readWebConfig } from './file';

serveFile(readWebConfig, function* (items) {
  yield items;
  return undefined;
});

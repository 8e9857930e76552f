/** The built package, past its entry points; what is started here is as the preload starts it. */
const { join } = require('node:path');

const DIST = join(__dirname, '../../dist');

exports.internal = (path) => require(join(DIST, 'src', path));

/** @param options of start(), beside those that are fixed here */
exports.started = (options = {}) => {
  const { start } = exports.internal('index.js');
  start({ syscode: 'A123010101', port: 0, host: '127.0.0.1', ...options });
};

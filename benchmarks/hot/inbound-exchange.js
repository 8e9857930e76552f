/** An inbound exchange from its beginning to its measurement, its business code read. */
const { started } = require('./ours');

exports.prepare = () => {
  started();
  return require('./exchange').exchanges();
};

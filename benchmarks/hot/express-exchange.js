/** A request to Express 5 with its route and its business code read. */
const { started } = require('./ours');

exports.prepare = () => {
  started();
  return require('./express-exchanges').expressExchanges();
};

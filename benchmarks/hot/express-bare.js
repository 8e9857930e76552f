/** What Express and Node themselves spend on a request; to be taken from express-exchange. */
exports.prepare = () => require('./express-exchanges').expressExchanges();

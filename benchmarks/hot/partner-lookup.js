/** The host of a call that is a partner's, and its path. */
exports.prepare = () => require('./lookup').lookup('127.0.0.1', '1202');

/** The host of a call that is no partner's. */
exports.prepare = () => require('./lookup').lookup('shop.example.com', undefined);

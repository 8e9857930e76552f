/** What Node itself spends on making a request and a response; to be taken from inbound-exchange. */
exports.prepare = () => require('./exchange').exchanges();

/** The business code of a body of 100 bytes. */
exports.prepare = () => require('./scan').scanner('100B');

/** The business code of a body of 10 kB that has it in front. */
exports.prepare = () => require('./scan').scanner('10kB');

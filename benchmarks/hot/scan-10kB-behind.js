/** The business code of a body of 10 kB that has it at its end. */
exports.prepare = () => require('./scan').scanner('10kB', ({ code, ...rest }) => ({ ...rest, code }));

/** Zero: a call of a function that does next to nothing. */
const made = { calls: 0 };

exports.prepare = () => () => {
  made.calls++;
};

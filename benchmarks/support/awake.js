/**
 * Keeps the core of what asks or answers from halting while a program is measured: its event loop never waits. A core
 * that has halted has to be woken, on a virtual machine by way of the host, and that is charged to the system call of
 * the measured program that sent it something: the slower a variant, the more often the load waits for it, and the
 * slower it would look.
 */

/** @returns a function that lets the event loop wait again */
exports.keepAwake = () => {
  let isWanted = true;
  const turn = () => {
    if (isWanted) setImmediate(turn);
  };
  turn();
  return () => {
    isWanted = false;
  };
};

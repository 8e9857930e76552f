/**
 * Keeps the core of what answers or asks from halting, as long as the measured program works: its event loop never
 * waits. A core that halts has to be woken, on a virtual machine by an exit to the host, and that is charged to the
 * system call of the measured program that sent it something; a load that has run out of work so makes what is
 * measured look slower than it is, and the slower it is the more.
 */

/** @returns a function that lets the event loop wait again */
exports.keepAwake = () => {
  let isWanted = true;
  const turn = () => {
    if (!isWanted) return;
    const until = performance.now() + 0.015;
    while (performance.now() < until);
    setImmediate(turn);
  };
  turn();
  return () => {
    isWanted = false;
  };
};

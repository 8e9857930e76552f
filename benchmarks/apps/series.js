/** What the two servers with many series have in common: they tell of their heap and of pauses of their event loop. */
const { answerOn } = require('../support/control');

let isWatching = false;
let longestMs = 0;
let lastMs = 0;

/** A clock that is asked in every turn of the loop; the longest time between two turns is the longest pause. */
function turn() {
  const nowMs = performance.now();
  longestMs = Math.max(longestMs, nowMs - lastMs);
  lastMs = nowMs;
  if (isWatching) setImmediate(turn);
}

exports.serveSeries = (port) => {
  answerOn({
    watch() {
      isWatching = true;
      longestMs = 0;
      lastMs = performance.now();
      setImmediate(turn);
    },
    longestPauseMs() {
      isWatching = false;
      return longestMs;
    },
    /** Bytes in use on the heap and in buffers, after collection; node needs --expose-gc. */
    async usedBytes() {
      for (let i = 0; i < 3; i++) {
        globalThis.gc();
        await new Promise(setImmediate);
      }
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    },
  });
  console.log(`ready ${port}`);
};

/** What the two servers with many series have in common: they tell of their heap and of pauses of their event loop. */
const { answerOn } = require('../support/control');
const { longestTurn, watch } = require('../support/turns');

exports.serveSeries = (port) => {
  answerOn({
    watch,
    /** In ms of CPU time and of the clock on the wall. */
    longestTurn,
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

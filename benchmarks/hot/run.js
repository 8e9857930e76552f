/**
 * node run.js <file> <warm-up> <times>: runs a hot function so often, warm. Each file exports `prepare()`, which gives
 * back the function; its argument is the number of the run.
 */
const { join } = require('node:path');

const [file, warmUp, times] = process.argv.slice(2);
const hot = require(join(__dirname, file)).prepare();

function run(count) {
  for (let i = 0; i < count; i++) hot(i);
}

run(Number(warmUp));
run(Number(times));
process.exit();

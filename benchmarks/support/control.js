/**
 * Lets a program be told what to do by lines on its stdin, past everything that is measured. Each line is a question
 * and its values as JSON; the answer goes to stdout.
 */
const { createInterface } = require('node:readline');

/** @param {Record<string, (...values: unknown[]) => unknown>} answers by question; may return promises */
exports.answerOn = (answers) => {
  createInterface({ input: process.stdin }).on('line', async (line) => {
    const [question, ...values] = JSON.parse(line);
    const answer = await answers[question](...values);
    process.stdout.write(`answer ${JSON.stringify(answer ?? null)}\n`);
  });
};

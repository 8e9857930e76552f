/** Makes calls when it is told to, so many at a time, by node:http with a keep-alive agent or by fetch. */
const http = require('node:http');
const { answerOn } = require('../support/control');

const CALLS_AT_A_TIME = 10;
const agent = new http.Agent({ keepAlive: true, maxSockets: CALLS_AT_A_TIME });

const CLIENTS = {
  http: (url) =>
    new Promise((resolve, reject) => {
      const request = http.get(url, { agent }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece) => {
          text += piece;
        });
        response.on('end', () => resolve({ status: response.statusCode, text }));
      });
      request.on('error', reject);
    }),
  fetch: async (url) => {
    const response = await fetch(url);
    return { status: response.status, text: await response.text() };
  },
};

/** @returns seconds that the calls took */
async function call(client, url, calls) {
  let left = calls;
  const worker = async () => {
    while (left-- > 0) {
      const { status, text } = await CLIENTS[client](url);
      if (status !== 200 || text.length !== 100) throw new Error(`answered with ${status} ${text}`);
    }
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: CALLS_AT_A_TIME }, worker));
  return (performance.now() - startedMs) / 1000;
}

answerOn({ call });
console.log('ready 0');

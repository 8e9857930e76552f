/**
 * The demo's partner: another company's service, as a process of its own. It knows nothing of the exporter.
 *
 * Start it with `node partner.js [port]`; it prints `ready <port>`.
 */
const { createServer } = require('node:http');

/** Answers by method and path; the first that matches. */
const ANSWERS = [
  { method: 'POST', path: /^\/v1\/pay$/, answer: pay },
  { method: 'GET', path: /^\/v1\/orders\/[^/]+$/, answer: (_request, response) => json(response, 200, { code: '0' }) },
  { method: 'GET', path: /^\/v1\/stock\//, answer: (_request, response) => json(response, 503, { message: 'later' }) },
  { method: 'GET', path: /^\/v1\/report$/, answer: slowReport },
  { method: 'GET', path: /^\/v1\/receipt$/, answer: (request) => request.socket.destroy() },
];

const server = createServer((request, response) => {
  const path = request.url.split('?')[0];
  const found = ANSWERS.find((each) => each.method === request.method && each.path.test(path));
  if (found) found.answer(request, response);
  else json(response, 404, { message: 'no such interface' });
});

/** Success is `code` 0; a refusal comes as `errorcode`, as such partners do. */
async function pay(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const { amount } = JSON.parse(Buffer.concat(chunks).toString());
  if (amount > 1000) json(response, 200, { errorcode: 'LIMIT', message: 'over the limit' });
  else json(response, 200, { code: '0', receipt: 'R-1' });
}

function slowReport(_request, response) {
  setTimeout(() => json(response, 200, { code: '0', rows: [] }), 600);
}

function json(response, status, body) {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}

server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => console.log(`ready ${server.address().port}`));

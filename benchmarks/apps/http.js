/** node http.js http [peer]: Node's own server, without a framework. */
const { createServer } = require('node:http');
const { BODIES } = require('./bodies');

let handler = (request, response) => {
  const text = JSON.stringify(BODIES[request.url.split('/')[2]]);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
};
if (process.argv[3] !== undefined) handler = require(`../peers/${process.argv[3]}`).http(handler);
const server = createServer(handler).listen(0, '127.0.0.1', () => console.log(`ready ${server.address().port}`));

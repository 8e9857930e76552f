/** The other side of outbound calls. */
const { createServer } = require('node:http');
const { BODIES } = require('./bodies');

const text = JSON.stringify(BODIES['100B']);
const head = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
const server = createServer((_request, response) => response.writeHead(200, head).end(text));
server.listen(0, '127.0.0.1', () => console.log(`ready ${server.address().port}`));

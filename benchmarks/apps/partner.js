/** The other side of outbound calls. */
const { createServer } = require('node:http');
const { keepAwake } = require('../support/awake');
const { BODIES } = require('./bodies');

const text = JSON.stringify(BODIES['100B']);
const head = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
const server = createServer((_request, response) => response.writeHead(200, head).end(text));
// callers are stopped for longer than the default while others take their turn
server.keepAliveTimeout = 0;
keepAwake();
server.listen(0, '127.0.0.1', () => console.log(`ready ${server.address().port}`));

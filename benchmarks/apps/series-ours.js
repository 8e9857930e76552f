/**
 * A server with as many series as it is asked for distinct paths; run with the preload. It is without a framework, so
 * that each path is a label value.
 */
const { createServer } = require('node:http');
const { serveSeries } = require('./series');

const server = createServer((_request, response) => response.end('{"code":"0000"}'));
server.listen(0, '127.0.0.1', () => serveSeries(server.address().port));

/** A request and its response as Node's server makes and tells of them, without a connection. */
const { channel } = require('node:diagnostics_channel');
const { createServer, IncomingMessage, ServerResponse } = require('node:http');
const { Duplex } = require('node:stream');
const { BODIES } = require('../apps/bodies');

const START = channel('http.server.request.start');
const FINISH = channel('http.server.response.finish');
const TEXT = JSON.stringify(BODIES['100B']);
const HEADERS = ['Host', '127.0.0.1:3000', 'Connection', 'keep-alive', 'User-Agent', 'C001', 'Accept', '*/*'];

/** @param server answers each request before it gives back */
exports.exchanges = (server = createServer((_request, response) => response.end(TEXT))) => {
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  return () => {
    const request = new IncomingMessage(socket);
    request.method = 'GET';
    request.url = '/api/100B/7';
    request.rawHeaders = HEADERS;
    const response = new ServerResponse(request);
    const message = { request, response, socket, server };
    if (START.hasSubscribers) START.publish(message);
    server.emit('request', request, response);
    if (FINISH.hasSubscribers) FINISH.publish(message);
  };
};

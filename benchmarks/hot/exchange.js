/** A request and its response as Node's server makes and tells of them, without a connection. */
const { channel } = require('node:diagnostics_channel');
const { createServer, IncomingMessage, ServerResponse } = require('node:http');
const { Duplex } = require('node:stream');
const { BODIES } = require('../apps/bodies');

const START = channel('http.server.request.start');
const FINISH = channel('http.server.response.finish');
const TEXT = JSON.stringify(BODIES['100B']);
const HEADERS = ['Host', '127.0.0.1:3000', 'Connection', 'keep-alive', 'User-Agent', 'C001', 'Accept', '*/*'];

exports.exchanges = () => {
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const server = createServer(() => undefined);
  return () => {
    const request = new IncomingMessage(socket);
    request.method = 'GET';
    request.url = '/api/100B/7';
    request.rawHeaders = HEADERS;
    const response = new ServerResponse(request);
    const message = { request, response, socket, server };
    if (START.hasSubscribers) START.publish(message);
    response.end(TEXT);
    if (FINISH.hasSubscribers) FINISH.publish(message);
  };
};

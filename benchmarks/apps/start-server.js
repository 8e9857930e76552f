/** A server that listens, answers one request of its own, and says what that took. */
const http = require('node:http');
const { sayUsed } = require('./used');

const server = http.createServer((_request, response) => response.end('{"code":"0000"}'));
server.listen(0, '127.0.0.1', () => {
  http.get({ port: server.address().port, agent: false }, (response) => {
    response.resume().on('end', () => {
      sayUsed();
      process.exit();
    });
  });
});

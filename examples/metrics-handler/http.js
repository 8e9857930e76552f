// node:http: the handler takes the request and the response.
const http = require('node:http');
const { metricsHandler } = require('channel-exporter');

const metrics = metricsHandler();
const server = http.createServer((request, response) => {
  if (request.url === '/internal/metrics') metrics(request, response);
  else response.end('{"code":"0"}');
});
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => console.log(`ready ${server.address().port}`));

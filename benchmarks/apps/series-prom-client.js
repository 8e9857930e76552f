/** The same in prom-client: one histogram with the labels and boundaries that ours has. */
const { createServer } = require('node:http');
const { Histogram, register } = require('prom-client');
const { serveSeries } = require('./series');

const APPLICATION = 'A123010101';
const histogram = new Histogram({
  name: `${APPLICATION}_inner_metrics`,
  help: 'requests answered, in milliseconds',
  labelNames: ['appid', 'application', 'f_code', 'path', 'http_status', 'code', 'method_code'],
  buckets: [100, 200, 500, 800, 1000, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 8000],
});

const server = createServer(async (request, response) => {
  if (request.url === '/metrics') {
    response.setHeader('content-type', register.contentType);
    response.end(await register.metrics());
    return;
  }
  const startedMs = performance.now();
  const labels = {
    appid: APPLICATION.slice(0, 4),
    application: APPLICATION,
    f_code: request.headers['user-agent'] ?? '',
    path: request.url,
    http_status: '200',
    code: '0000',
    method_code: '',
  };
  response.on('finish', () => histogram.observe(labels, performance.now() - startedMs));
  response.end('{"code":"0000"}');
});
server.listen(0, '127.0.0.1', () => serveSeries(server.address().port));

/** prom-client by hand: one histogram with our labels and boundaries, except that nobody reads a business code. */
const { Histogram, register } = require('prom-client');

const BOUNDARIES_MS = [100, 200, 500, 800, 1000, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 8000];
const APPLICATION = 'A123010101';
const histogram = new Histogram({
  name: 'inner_metrics',
  help: 'requests answered, in milliseconds',
  labelNames: ['appid', 'application', 'f_code', 'path', 'http_status', 'method_code'],
  buckets: BOUNDARIES_MS,
});

function observe(startedMs, request, path, status) {
  const labels = {
    appid: APPLICATION.slice(0, 4),
    application: APPLICATION,
    f_code: request.headers['user-agent'] ?? '',
    path,
    http_status: status,
    method_code: request.headers['method-code'] ?? '',
  };
  histogram.observe(labels, performance.now() - startedMs);
}

async function scrape(response) {
  response.setHeader('content-type', register.contentType);
  response.end(await register.metrics());
}

exports.express = (app) => {
  app.use((request, response, next) => {
    const startedMs = performance.now();
    response.on('finish', () => {
      observe(startedMs, request, request.baseUrl + (request.route?.path ?? request.path), response.statusCode);
    });
    next();
  });
  app.get('/metrics', (_request, response) => scrape(response));
};

exports.fastify = (app) => {
  app.addHook('onResponse', async (request, reply) => {
    observe(performance.now() - reply.elapsedTime, request.raw, request.routeOptions.url, reply.statusCode);
  });
  app.get('/metrics', async (_request, reply) => reply.type(register.contentType).send(await register.metrics()));
};

exports.http = (handler) => (request, response) => {
  if (request.url === '/metrics') return scrape(response);
  const startedMs = performance.now();
  response.on('finish', () => observe(startedMs, request, request.url, response.statusCode));
  return handler(request, response);
};

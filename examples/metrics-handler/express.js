// Express: the handler as it is. `all` and not `get`, so that other methods are answered with 405 and not 404.
const express = require('express');
const { metricsHandler } = require('channel-exporter');

const app = express();
app.all('/internal/metrics', metricsHandler());
app.get('/', (_request, response) => response.json({ code: '0' }));
const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`ready ${server.address().port}`);
});

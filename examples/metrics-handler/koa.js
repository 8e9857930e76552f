// Koa: `respond = false` leaves the response to the handler.
const Koa = require('koa');
const { metricsHandler } = require('channel-exporter');

const metrics = metricsHandler();
const app = new Koa();
app.use((context, next) => {
  if (context.path !== '/internal/metrics') return next();
  context.respond = false;
  metrics(context.req, context.res);
});
app.use((context) => {
  context.body = { code: '0' };
});
const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`ready ${server.address().port}`);
});

// Fastify: `hijack` leaves the response to the handler.
const fastify = require('fastify');
const { metricsHandler } = require('channel-exporter');

const metrics = metricsHandler();
const app = fastify();
app.all('/internal/metrics', (request, reply) => {
  reply.hijack();
  metrics(request.raw, reply.raw);
});
app.get('/', async () => ({ code: '0' }));
app.listen({ port: Number(process.env.PORT ?? 0), host: '127.0.0.1' }).then(() => {
  console.log(`ready ${app.server.address().port}`);
});

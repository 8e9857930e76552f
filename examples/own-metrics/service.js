/**
 * A service that measures things of its own, in the three ways that come onto the same scrape.
 *
 *     SYSCODE=A123010101 CHANNEL_EXPORTER_GLOBAL=1 CHANNEL_EXPORTER_PROM_CLIENT=1 \
 *       node -r channel-exporter/register service.js
 *
 * PORT is the port to listen on (any free one by default); it prints `ready <port>`.
 */
const http = require('node:http');
const { metrics } = require('@opentelemetry/api');
const { meter } = require('channel-exporter');
const prom = require('prom-client');

// 1. meter(): an OpenTelemetry Meter of the exporter
const shop = meter('shop');
const orders = shop.createCounter('shop.orders', { description: 'Orders taken, by kind.' });
const open = shop.createUpDownCounter('shop.orders.open', { description: 'Orders under way.' });
const temperature = shop.createGauge('shop.oven.temperature', { description: 'Degrees Celsius, as last read.' });
const price = shop.createHistogram('shop.price', {
  description: 'Prices of orders, in cents.',
  advice: { explicitBucketBoundaries: [500, 1000, 5000] },
});
// without boundaries it is a summary: _count and _sum alone
const weight = shop.createHistogram('shop.weight', {
  description: 'Weight of orders, in grams.',
  advice: { explicitBucketBoundaries: [] },
});
// a custom collector: asked at each scrape
const queues = new Map([
  ['kitchen', 2],
  ['delivery', 0],
]);
shop
  .createObservableGauge('shop.queue.length', { description: 'Orders that wait, by queue.' })
  .addCallback((result) => {
    for (const [queue, length] of queues) result.observe(length, { queue });
  });

// 2. what libraries record through the global OpenTelemetry API (CHANNEL_EXPORTER_GLOBAL=1)
const mails = metrics.getMeter('mailer').createCounter('mails.sent', { description: 'Mails sent.' });

// 3. what is registered in prom-client already (CHANNEL_EXPORTER_PROM_CLIENT=1)
const visits = new prom.Counter({ name: 'visits_total', help: 'Visits of the shop.', labelNames: ['door'] });

const server = http.createServer((_request, response) => {
  visits.inc({ door: 'front' });
  orders.add(1, { kind: 'pizza' });
  open.add(1);
  temperature.record(231.5);
  price.record(990);
  weight.record(420);
  mails.add(1);
  queues.set('kitchen', (queues.get('kitchen') ?? 0) + 1);
  response.end('{"code":"0"}', () => open.add(-1));
});
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => console.log(`ready ${server.address().port}`));

/**
 * An Express service with a handler and a function that it wants to have measured by name.
 *
 *     SYSCODE=A123010101 node -r channel-exporter/register service.js
 *
 * It prints `ready <port>`; PORT is the port to listen on, by default any free one.
 */
const { setTimeout: sleep } = require('node:timers/promises');
const { monitor } = require('channel-exporter');
const express = require('express');

const STOCK = new Map([
  ['tea', 3],
  ['cup', 4],
]);

/** Under its name: url="stock.find". It fails by throwing or by a promise that is rejected. */
const findStock = monitor('stock.find', async (sku) => {
  await sleep(2);
  if (!STOCK.has(sku)) throw new Error(`no ${sku}`);
  return STOCK.get(sku);
});

const app = express();

// a handler goes under its route: url="/stock/:sku"
app.get(
  '/stock/:sku',
  monitor('stock', async (request, response) => {
    response.json({ code: '0', amount: await findStock(request.params.sku) });
  }),
);

app.use((error, _request, response, _next) => {
  response.status(500).json({ code: '9999', message: error.message });
});

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`ready ${server.address().port}`);
});

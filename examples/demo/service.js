/**
 * The demo's service: plain Express. It knows nothing of metrics; its queue is named to them in receipts.js.
 *
 *     SYSCODE=A123010101 CHANNEL_EXPORTER_PARTNERS=partners.yaml node -r channel-exporter/register service.js
 *
 * PARTNER_URL is the address of the partner, PORT the port to listen on (any free one by default); it prints
 * `ready <port>`.
 */
const http = require('node:http');
const axios = require('axios');
const express = require('express');
const { putReceipt } = require('./receipts');

const PARTNER_URL = process.env.PARTNER_URL ?? 'http://127.0.0.1:9300';
const app = express();
app.use(express.json());

const users = express.Router();
users.get('/:id', (request, response) => {
  if (request.params.id === '0') response.status(200).json({ code: '1404', message: 'no such user' });
  else response.json({ code: '0', id: request.params.id });
});

const items = express.Router({ mergeParams: true });
items.get('/:itemId', (request, response) => {
  response.json({ code: '0', order: request.params.orderId, item: request.params.itemId });
});

const api = express.Router();
api.use('/users', users);
api.use('/orders/:orderId/items', items);

api.post('/pay', async (request, response) => {
  const { data } = await axios.post(`${PARTNER_URL}/v1/pay`, { amount: request.body.amount });
  putReceipt(data.receipt);
  if (data.errorcode) response.status(402).json({ code: '2001', message: data.message });
  else response.json({ code: '0', receipt: data.receipt });
});

api.get('/orders/:orderId', (request, response, next) => {
  http
    .get(`${PARTNER_URL}/v1/orders/${request.params.orderId}`, (answer) => {
      answer.resume().on('end', () => response.json({ code: '0', state: 'shipped' }));
    })
    .on('error', next);
});

api.get('/stock/:sku', async (request, response) => {
  const { status } = await axios.get(`${PARTNER_URL}/v1/stock/${request.params.sku}`, { validateStatus: () => true });
  if (status === 200) response.json({ code: '0' });
  else response.status(502).json({ code: '3503', message: 'the stock service is not available' });
});

api.get('/report', async (_request, response) => {
  const { data } = await axios.get(`${PARTNER_URL}/v1/report`);
  response.json({ code: '0', rows: data.rows.length });
});

// the partner hangs up: axios rejects, and Express hands that to the error handler
api.get('/receipt', async (_request, response) => {
  const { data } = await axios.get(`${PARTNER_URL}/v1/receipt`);
  response.json({ code: '0', receipt: data });
});

api.get('/export', (_request, response) => {
  response.type('json').write('{"code":"0","rows":[');
  setTimeout(() => response.write('{"id":1},'), 20);
  setTimeout(() => response.end('{"id":2}]}'), 40);
});

api.get('/page', (_request, response) => {
  response.type('html').send('<p>not JSON: there is no business code to read</p>');
});

api.get('/broken', () => {
  throw new Error('a defect in the service');
});

app.use('/api', api);
app.get('/healthcheck', (_request, response) => response.send('ok'));
app.use((error, _request, response, _next) => {
  response.status(500).json({ code: '9999', message: error.message });
});

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`ready ${server.address().port}`);
});

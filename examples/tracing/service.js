/**
 * A service that traces with OpenTelemetry of its own, as its `tracing.js` sets it up: `node -r ./tracing.js service.js`.
 *
 * PARTNER_URL is the address of the partner, OTHER_URL that of a service that is none; it prints `ready <port>`.
 */
const http = require('node:http');
const express = require('express');

const app = express();
app.use(express.json());

const api = express.Router();
api.post('/pay', async (request, response) => {
  const { errorcode } = await call('POST', `${process.env.PARTNER_URL}/v1/pay`, request.body);
  if (errorcode) response.status(402).json({ code: '2001', message: 'the bank refuses' });
  else response.json({ code: '0' });
});
api.get('/orders/:id', async (request, response) => {
  await call('GET', `${process.env.PARTNER_URL}/v1/orders/${request.params.id}`);
  await call('GET', `${process.env.OTHER_URL}/weather`);
  response.json({ code: '0', id: request.params.id });
});
app.use('/api', api);

async function call(method, url, body) {
  const response = await new Promise((resolve, reject) => {
    const request = http.request(url, { method }, resolve);
    request.on('error', reject).end(body && JSON.stringify(body));
  });
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return JSON.parse(text);
}

const server = app.listen(0, '127.0.0.1', () => console.log(`ready ${server.address().port}`));

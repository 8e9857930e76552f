/**
 * An Express service without a line about metrics. With the switch, its requests are also counted under the names that
 * dashboards of Flask services ask for.
 *
 *     SYSCODE=A123010101 CHANNEL_EXPORTER_FLASK_METRICS=on node -r channel-exporter/register service.js
 *
 * It prints `ready <port>`; PORT is the port to listen on, by default any free one.
 */
const express = require('express');

const app = express();
app.get('/users/:id', (request, response) => response.json({ code: '0', id: request.params.id }));
app.post('/users', (_request, response) => response.status(201).json({ code: '0' }));

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`ready ${server.address().port}`);
});

/** A service without a line about metrics; it prints `ready <port>`. */
const express = require('express');

const app = express();
app.get('/orders/:id', (request, response) => {
  if (request.params.id === '13') response.status(422).json({ code: '2001', message: 'no such order' });
  else response.json({ code: '0', id: request.params.id });
});
const server = app.listen(0, '127.0.0.1', () => console.log(`ready ${server.address().port}`));

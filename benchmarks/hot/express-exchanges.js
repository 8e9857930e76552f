/** A request to Express 5 from its head to its answer, through a mounted router, without a connection. */
const { createServer } = require('node:http');
const express = require('express');
const { BODIES } = require('../apps/bodies');
const { exchanges } = require('./exchange');

exports.expressExchanges = () => {
  const app = express();
  const api = express.Router();
  api.get('/100B/:id', (_request, response) => response.json(BODIES['100B']));
  app.use('/api', api);
  return exchanges(createServer(app));
};

/** express-prom-bundle as its README shows it first, with method and path. */
const promBundle = require('express-prom-bundle');

exports.express = (app) => {
  app.use(promBundle({ includeMethod: true, includePath: true }));
};

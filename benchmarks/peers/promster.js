/** promster as its READMEs show it, without its default metrics of the process. */

exports.express = (app) => {
  const { createMiddleware, getContentType, getSummary } = require('@promster/express');
  app.use(createMiddleware({ app }));
  app.get('/metrics', async (_request, response) => {
    response.setHeader('content-type', getContentType());
    response.end(await getSummary());
  });
};

exports.fastify = async (app) => {
  const { plugin, getContentType, getSummary } = require('@promster/fastify');
  await app.register(plugin);
  app.get('/metrics', async (_request, reply) => reply.type(getContentType()).send(await getSummary()));
};

/** node fastify.js fastify [peer] */
const fastify = require(process.argv[2]);
const { BODIES } = require('./bodies');

async function main() {
  const app = fastify();
  if (process.argv[3] !== undefined) await require(`../peers/${process.argv[3]}`).fastify(app);
  for (const [size, body] of Object.entries(BODIES)) app.get(`/api/${size}/:id`, (_request, reply) => reply.send(body));
  await app.listen({ port: 0, host: '127.0.0.1' });
  console.log(`ready ${app.server.address().port}`);
}
main();

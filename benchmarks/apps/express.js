/** node express.js <express | express4> [peer]: a router below /api; the peer is mounted as its README says. */
const express = require(process.argv[2]);
const { BODIES } = require('./bodies');

const app = express();
if (process.argv[3] !== undefined) require(`../peers/${process.argv[3]}`).express(app);
const api = express.Router();
for (const [size, body] of Object.entries(BODIES)) api.get(`/${size}/:id`, (_request, response) => response.json(body));
app.use('/api', api);
const server = app.listen(0, '127.0.0.1', () => console.log(`ready ${server.address().port}`));

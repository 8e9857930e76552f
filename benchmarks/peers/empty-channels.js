/** The floor: what Node's diagnostics channels cost when nobody does anything with what they tell. */
const { subscribe } = require('node:diagnostics_channel');

subscribe('http.server.request.start', () => undefined);
subscribe('http.server.response.finish', () => undefined);
subscribe('http.client.response.finish', () => undefined);

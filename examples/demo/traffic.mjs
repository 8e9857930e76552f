/** The demo's callers: who asks what, how often, and how many calls to the partner and messages it makes. */

/** One round. `recorded: false`: the exporter leaves such requests out. */
export const ROUND = [
  { caller: 'C001', path: '/api/users/7', times: 5 },
  { caller: 'C002', path: '/api/users/8', times: 3 },
  { caller: 'C002', path: '/api/users/0' },
  { caller: 'C001', path: '/api/orders/1001/items/3', times: 2 },
  { caller: 'C001', path: '/api/orders/1001?method_code=M2', times: 2, partnerCalls: 1 },
  { caller: 'C003', path: '/api/pay', body: { amount: 20, method_code: 'M1' }, times: 3, partnerCalls: 1, messages: 1 },
  {
    caller: 'C003',
    path: '/api/pay',
    body: { amount: 5000 },
    headers: { 'Method-Code': 'M1' },
    partnerCalls: 1,
    messages: 1,
  },
  { caller: 'C001', path: '/api/stock/A-1', times: 2, partnerCalls: 1 },
  { caller: 'C002', path: '/api/report', partnerCalls: 1 },
  { caller: 'C002', path: '/api/receipt', partnerCalls: 1 },
  { caller: 'a caller with a very long name', path: '/api/export' },
  { caller: 'C001', path: '/api/page' },
  { caller: 'C001', path: '/api/broken' },
  { caller: 'C001', path: '/no/such/route', recorded: false },
  { caller: 'kube-probe', path: '/healthcheck', recorded: false },
];

/** What a round adds to the scrape. */
export const REQUESTS = sum(ROUND, ({ recorded = true, times = 1 }) => (recorded ? times : 0));
export const PARTNER_CALLS = sum(ROUND, ({ partnerCalls = 0, times = 1 }) => partnerCalls * times);
export const MESSAGES = sum(ROUND, ({ messages = 0, times = 1 }) => messages * times);

/** Sends one round, all requests of a line at a time. */
export async function sendRound(serviceUrl) {
  for (const line of ROUND) await Promise.all(Array.from({ length: line.times ?? 1 }, () => send(serviceUrl, line)));
}

/** Sends one request of the round. */
export async function send(serviceUrl, { caller, path, body, headers = {} }) {
  const content = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const type = body === undefined ? {} : { 'Content-Type': 'application/json' };
  const response = await fetch(serviceUrl + path, {
    ...content,
    headers: { 'User-Agent': caller, ...type, ...headers },
  });
  await response.arrayBuffer();
}

function sum(lines, amount) {
  return lines.reduce((total, line) => total + amount(line), 0);
}

/** What the applications answer: an envelope with its business code in front, as large as its name says. */

/** @returns an object whose JSON text has so many bytes */
function envelope(bytes) {
  const body = { code: '0000', message: 'ok', data: [] };
  const row = { id: 1_000_001, name: 'a row like any other', amount: 12.5, done: false };
  const rowBytes = JSON.stringify(row).length + 1;
  const left = () => bytes - JSON.stringify(body).length;
  const rows = Math.floor(left() / rowBytes);
  for (let i = 0; i < rows; i++) body.data.push({ ...row, id: row.id + i });
  body.message = body.message.padEnd(body.message.length + left(), '.');
  return body;
}

exports.BODIES = { '100B': envelope(100), '10kB': envelope(10_000), '1MB': envelope(1_000_000) };

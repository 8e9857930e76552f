/**
 * The demo's queue of receipts, inside the service itself. It has no client of a message broker that the exporter knows, so
 * `consume()` names its topic: the only line of the service that is about metrics.
 */
const { consume } = require('channel-exporter');

/** Files one. There is none after a refusal, and that message has failed. */
const file = consume('receipts', (receipt) => (receipt === undefined ? 1 : 0));

/** Puts one in the queue; it is filed after the caller has been answered. */
exports.putReceipt = (receipt) => setImmediate(file, receipt);

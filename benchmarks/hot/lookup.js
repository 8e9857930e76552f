/** What the files that look up a host have in common. */
const { internal } = require('./ours');

exports.lookup = (hostname, actionCode) => {
  const { findDestination } = internal('instrumentations/outbound/destination.js');
  const { PartnerDirectory } = internal('partners/directory.js');
  const paths = [
    ['/v1/pay', '1201'],
    ['/v1/orders/:id', '1202'],
  ];
  const directory = new PartnerDirectory([{ names: [{ hostname: '127.0.0.1', port: 8080 }], partner: '12', paths }]);
  const call = { method: 'GET', protocol: 'http:', hostname, path: '/v1/orders/7?x=1', port: () => 8080 };
  return () => {
    if (findDestination(directory, call)?.actionCode !== actionCode) throw new Error('something else was found');
  };
};

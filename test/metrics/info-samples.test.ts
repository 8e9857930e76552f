/** What other processes of a service report of their calls counts for the entries of the directory. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createInfo } from '../../src/metrics/info-samples';
import { parsePartnerDirectory } from '../../src/partners/check';
import { PartnerDirectory } from '../../src/partners/directory';

it('an entry that another process has called is met', () => {
  const paths = { '/a': '1', '/b': '1', '/c': '2' };
  const { hosts } = parsePartnerDirectory({ hosts: { one: { partner: '1', paths }, two: { partner: '2' } } });
  const directory = new PartnerDirectory(hosts, hosts);
  const info = createInfo({ syscode: 'A123010101', successCodes: [] }, [], () => directory);
  const left = () =>
    info
      .samples()
      .filter(({ family }) => family === 'channel_exporter_partner_unmatched')
      .map(({ labels, value }) => [labels.kind, value]);
  const receive = (family: string, values: string[]) => {
    const series = [{ values, count: 1, sum: 1, buckets: [1] }];
    info.received([{ family, labels: ['http_status', 'partner', 'action_code'], boundaries: [], series }]);
  };
  assert.deepEqual(left(), [
    ['host', 2],
    ['path', 3],
  ]);
  receive('channel_exporter_other', ['200', '1', '1']);
  receive('partner_http_metrics', ['200', '3', '1']);
  assert.deepEqual(left(), [
    ['host', 2],
    ['path', 3],
  ]);
  for (let n = 0; n < 2; n++) receive('partner_http_metrics', ['200', '1', '1']);
  assert.deepEqual(left(), [
    ['host', 1],
    ['path', 1],
  ]);
  receive('partner_http_metrics', ['200', '1', '']);
  receive('partner_http_metrics', ['200', '1', '2']);
  assert.deepEqual(left(), [
    ['host', 1],
    ['path', 0],
  ]);
});

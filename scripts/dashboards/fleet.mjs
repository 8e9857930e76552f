// Every service at a glance: which one is worth a look.
import {
  APPID,
  APPLICATIONS,
  BELOW_FIRST,
  consumer,
  inner,
  partner,
  present,
  quantile,
  rate,
  ratio,
  WINDOW,
} from './queries.mjs';

const CODED = 'code!~"|-1"';
// the family says whose codes they are
const SUCCESS =
  'label_replace(channel_business_code_info{family=~".+_inner_metrics", success="true"}, "application", "$1", "family", "(.+)_inner_metrics")';
const coded = `rate(${inner('count', CODED)}[${WINDOW}])`;

export default {
  name: 'fleet',
  title: 'Fleet',
  description:
    'All services with channel-exporter, Node and Python: traffic, errors, durations, partners and messages.',
  variables: [APPID, APPLICATIONS],
  rows: [
    {
      title: 'Services',
      panels: [
        {
          title: 'Services',
          description: 'Services that are scraped.',
          unit: 'short',
          type: 'stat',
          width: 4,
          tall: 5,
          queries: [[`count(group by (application) (${present}))`, 'services']],
        },
        {
          title: 'Instances',
          description: 'Places where they are scraped: one for each hub.',
          unit: 'short',
          type: 'stat',
          width: 4,
          tall: 5,
          queries: [[`count(group by (job, instance) (${present}))`, 'instances']],
        },
        {
          title: 'Versions',
          description: 'Services by version of the Node exporter and of Node. Node alone.',
          unit: 'short',
          type: 'table',
          width: 16,
          tall: 5,
          queries: [['count by (application, version, node) (channel_exporter_info{application=~"$application"})', '']],
        },
      ],
    },
    {
      title: 'Requests answered',
      panels: [
        {
          title: 'Requests',
          description: 'Requests that each service answered, a second. A final status of 404 is not recorded.',
          unit: 'reqps',
          queries: [[rate('application', inner('count')), '{{application}}']],
        },
        {
          title: 'p95 of the duration',
          description: `95 of 100 requests took no longer. ${BELOW_FIRST}`,
          unit: 'ms',
          queries: [[quantile(0.95, 'application', inner), '{{application}}']],
        },
        {
          title: 'Failed by status',
          description: 'The part of the requests with a status of 500 and above, or that the caller left (499).',
          unit: 'percentunit',
          queries: [
            [ratio('application', inner('count', 'http_status=~"499|5.."'), inner('count')), '{{application}}'],
          ],
        },
        {
          title: 'Failed by business code',
          description:
            'The part of the answers with a business code whose code is no success, of services that say which codes are (CHANNEL_EXPORTER_SUCCESS_CODES). Node alone.',
          unit: 'percentunit',
          queries: [
            [
              `1 - (sum by (application) (${coded} and on (application, code) ${SUCCESS}) or 0 * sum by (application) (${coded})) / (sum by (application) (${coded} and on (application) ${SUCCESS}) > 0)`,
              '{{application}}',
            ],
          ],
        },
      ],
    },
    {
      title: 'Partners and messages',
      panels: [
        {
          title: 'Partner calls',
          description: 'Calls to each partner, a second, of all selected services.',
          unit: 'reqps',
          queries: [[rate('partner', partner('count')), '{{partner}}']],
        },
        {
          title: 'Partner calls without an answer',
          description:
            'The part of the calls with status 0 (no answer), or 500 and above. Python services do not record calls without an answer.',
          unit: 'percentunit',
          queries: [[ratio('partner', partner('count', 'http_status=~"0|5.."'), partner('count')), '{{partner}}']],
        },
        {
          title: 'Messages',
          description: 'Messages that each service consumed, a second.',
          unit: 'cps',
          queries: [[rate('application', consumer('count')), '{{application}}']],
        },
        {
          title: 'Failed messages',
          description: 'The part of the messages that failed.',
          unit: 'percentunit',
          queries: [[ratio('application', consumer('count', 'code!="0"'), consumer('count')), '{{application}}']],
        },
      ],
    },
  ],
};

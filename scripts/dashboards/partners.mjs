// Calls to partners: who is slow, who fails, and how.
import {
  APPID,
  APPLICATIONS,
  average,
  BELOW_FIRST,
  durations,
  PARTNERS,
  partner,
  quantile,
  rate,
  ratio,
  WINDOW,
} from './queries.mjs';

const MINE = 'partner=~"$partner"';
const ANSWERED = `${MINE}, http_status!="0"`;
const NAMES = 'on (partner) group_left (name) max by (partner, name) (channel_partner_info{name!=""})';
const SUCCESS = 'channel_business_code_info{family="partner_http_metrics", success="true"}';
const calls = `rate(${partner('count', MINE)}[${WINDOW}])`;
const missed = 'channel_exporter_partner_misses_total{application=~"$application"}';

export default {
  name: 'partners',
  title: 'Partners',
  description:
    'Calls of the services to partners: traffic, failures, business codes and durations by partner and action.',
  variables: [APPID, APPLICATIONS, PARTNERS],
  rows: [
    {
      title: 'Calls',
      panels: [
        {
          title: 'Calls by partner',
          description: 'Calls a second.',
          unit: 'reqps',
          queries: [[rate('partner', partner('count', MINE)), '{{partner}}']],
        },
        {
          title: 'Calls by partner, with names',
          description: 'The same of partners that have a name in a partner file.',
          unit: 'reqps',
          queries: [[`${rate('partner', partner('count', MINE))} * ${NAMES}`, '{{partner}} {{name}}']],
        },
        {
          title: 'Calls by action',
          description:
            'Calls a second of the 20 most used actions; an empty action code is a path that the partner file does not know.',
          unit: 'reqps',
          queries: [
            [`topk(20, ${rate('partner, action_code', partner('count', MINE))})`, '{{partner}} {{action_code}}'],
          ],
        },
        {
          title: 'Calls by service',
          description: 'Calls a second.',
          unit: 'reqps',
          queries: [[rate('application', partner('count', MINE)), '{{application}}']],
        },
      ],
    },
    {
      title: 'Failures',
      panels: [
        {
          title: 'Without an answer, or failed',
          description:
            'The part of the calls with status 0 (no answer), or 500 and above. Python services do not record calls without an answer.',
          unit: 'percentunit',
          queries: [
            [
              ratio('partner', partner('count', `${MINE}, http_status=~"0|5.."`), partner('count', MINE)),
              '{{partner}}',
            ],
          ],
        },
        {
          title: 'Failed by business code',
          description:
            'The part of the calls whose code is no success, of partners whose success codes stand in a partner file of any service.',
          unit: 'percentunit',
          queries: [
            [
              `1 - (sum by (partner) (${calls} and on (partner, code) ${SUCCESS}) or 0 * sum by (partner) (${calls})) / (sum by (partner) (${calls} and on (partner) ${SUCCESS}) > 0)`,
              '{{partner}}',
            ],
          ],
        },
        {
          title: 'Calls by business code',
          description: 'Calls a second of the 20 codes that occur most; -1: no code was found.',
          unit: 'reqps',
          queries: [[`topk(20, ${rate('partner, code', partner('count', MINE))})`, '{{partner}} {{code}}']],
        },
        {
          title: 'Errors by cause',
          description:
            'Calls a second without an answer, or whose answer broke off: refused, dns, tls, timeout, reset, aborted, other. Node alone.',
          unit: 'reqps',
          queries: [
            [
              rate('partner, error', `partner_http_errors_total{application=~"$application", ${MINE}}`),
              '{{partner}} {{error}}',
            ],
          ],
        },
      ],
    },
    {
      title: 'Durations',
      panels: [
        {
          title: 'Durations',
          description: `Of calls that were answered. ${BELOW_FIRST}`,
          unit: 'ms',
          queries: durations(partner, ANSWERED),
        },
        {
          title: 'p95 by partner',
          description: `Of calls that were answered. ${BELOW_FIRST}`,
          unit: 'ms',
          queries: [[quantile(0.95, 'partner', partner, ANSWERED), '{{partner}}']],
        },
        {
          title: 'p95 by action',
          description: `Of the 20 slowest actions. ${BELOW_FIRST}`,
          unit: 'ms',
          queries: [
            [`topk(20, ${quantile(0.95, 'partner, action_code', partner, ANSWERED)})`, '{{partner}} {{action_code}}'],
          ],
        },
        {
          title: 'Average by partner',
          description: 'Exact with any bucket boundaries.',
          unit: 'ms',
          queries: [[average('partner', partner, ANSWERED), '{{partner}}']],
        },
      ],
    },
    {
      title: 'The partner file',
      panels: [
        {
          title: 'Calls that no entry knows',
          description: 'Calls a second to a path or port of a known host that the partner file lacks. Node alone.',
          unit: 'reqps',
          queries: [[rate('partner, reason', missed), '{{partner}} {{reason}}']],
        },
        {
          title: 'Entries that no call has met',
          description:
            'Hosts and paths of the partner file, since the start of the service or the last change of the file. Node alone.',
          unit: 'short',
          queries: [
            [
              'max by (application, kind) (channel_exporter_partner_unmatched{application=~"$application"})',
              '{{application}} {{kind}}',
            ],
          ],
        },
      ],
    },
  ],
};

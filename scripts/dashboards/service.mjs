// One service: its routes, callers and codes.
import { APPLICATION, average, BELOW_FIRST, durations, inner, quantile, rate, ratio, WINDOW } from './queries.mjs';

const own = (family) => `${family}{application=~"$application"}`;
const grown = (labels, family) => `sum by (${labels}) (increase(${own(family)}[${WINDOW}]))`;

export default {
  name: 'service',
  title: 'Service',
  description: 'One service: routes, callers, statuses, business codes and durations of the requests that it answers.',
  variables: [APPLICATION],
  rows: [
    {
      title: 'Requests answered',
      panels: [
        {
          title: 'Requests by route',
          description: 'Requests a second. Node shows route templates, Python concrete paths.',
          unit: 'reqps',
          queries: [[`topk(20, ${rate('path', inner('count'))})`, '{{path}}']],
        },
        {
          title: 'Requests by status',
          description: 'Requests a second. 499: the caller left before the whole answer was handed over.',
          unit: 'reqps',
          queries: [[rate('http_status', inner('count')), '{{http_status}}']],
        },
        {
          title: 'Requests by business code',
          description: 'Requests a second. -1: no JSON to read a code from; empty: JSON without a code.',
          unit: 'reqps',
          queries: [[`topk(20, ${rate('code', inner('count'))})`, '{{code}}']],
        },
        {
          title: 'Requests by caller',
          description: 'Requests a second of the 20 callers that ask most.',
          unit: 'reqps',
          queries: [[`topk(20, ${rate('f_code', inner('count'))})`, '{{f_code}}']],
        },
        {
          title: 'Requests by interface number',
          description: 'Requests a second of the 20 values of method_code that occur most.',
          unit: 'reqps',
          queries: [[`topk(20, ${rate('method_code', inner('count'))})`, '{{method_code}}']],
        },
        {
          title: 'Requests not recorded',
          description:
            'Requests a second that are in no family: 404 with and without a route, and ignored paths. Node alone.',
          unit: 'reqps',
          queries: [[rate('reason', own('channel_exporter_unrecorded_requests_total')), '{{reason}}']],
        },
      ],
    },
    {
      title: 'Durations and failures',
      panels: [
        {
          title: 'Durations',
          description: `Of all requests. ${BELOW_FIRST}`,
          unit: 'ms',
          queries: durations(inner),
        },
        {
          title: 'p95 by route',
          description: `Of the 20 slowest routes. ${BELOW_FIRST}`,
          unit: 'ms',
          queries: [[`topk(20, ${quantile(0.95, 'path', inner)})`, '{{path}}']],
        },
        {
          title: 'Average by route',
          description: 'Exact with any bucket boundaries.',
          unit: 'ms',
          queries: [[`topk(20, ${average('path', inner)})`, '{{path}}']],
        },
        {
          title: 'Failed by route',
          description: 'The part of the requests of a route with a status of 500 and above, or that the caller left.',
          unit: 'percentunit',
          queries: [[ratio('path', inner('count', 'http_status=~"499|5.."'), inner('count')), '{{path}}']],
        },
      ],
    },
    {
      title: 'Limits',
      panels: [
        {
          title: 'Values shown as "other"',
          description:
            'Label values beyond a limit, and measurements of a full family. docs/limits.md names the settings. Node alone.',
          unit: 'short',
          queries: [
            [grown('family, label', 'channel_exporter_label_overflow_total'), '{{family}} {{label}}'],
            [grown('family', 'channel_exporter_series_overflow_total'), '{{family}} full'],
          ],
        },
        {
          title: 'Bodies not read',
          description:
            'Bodies whose business code is -1 because a limit kept them from being read, by the limit. Node alone.',
          unit: 'short',
          queries: [[grown('reason', 'channel_exporter_unread_bodies_total'), '{{reason}}']],
        },
      ],
    },
  ],
};

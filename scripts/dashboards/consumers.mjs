// Messages consumed: how many, how long, how many fail.
import {
  APPID,
  APPLICATIONS,
  average,
  BELOW_FIRST,
  consumer,
  durations,
  quantile,
  rate,
  ratio,
  TOPICS,
} from './queries.mjs';

const MINE = 'topic=~"$topic"';

export default {
  name: 'consumers',
  title: 'Consumers',
  description: 'Messages that services consume, by topic: deliveries, failures and durations.',
  variables: [APPID, APPLICATIONS, TOPICS],
  rows: [
    {
      title: 'Messages',
      panels: [
        {
          title: 'Messages by topic',
          description: 'Deliveries a second; one that is delivered again counts again.',
          unit: 'cps',
          queries: [[rate('topic', consumer('count', MINE)), '{{topic}}']],
        },
        {
          title: 'Messages by service',
          description: 'Deliveries a second.',
          unit: 'cps',
          queries: [[rate('application', consumer('count', MINE)), '{{application}}']],
        },
        {
          title: 'Failed messages by topic',
          description: 'Deliveries a second that were rejected, returned to the queue, or threw.',
          unit: 'cps',
          queries: [
            [
              `${rate('topic', consumer('count', `${MINE}, code!="0"`))} or 0 * ${rate('topic', consumer('count', MINE))}`,
              '{{topic}}',
            ],
          ],
        },
        {
          title: 'Part that failed',
          description: 'The part of the deliveries that failed.',
          unit: 'percentunit',
          queries: [[ratio('topic', consumer('count', `${MINE}, code!="0"`), consumer('count', MINE)), '{{topic}}']],
        },
      ],
    },
    {
      title: 'Durations',
      panels: [
        {
          title: 'Durations',
          description: `From delivery to answer. ${BELOW_FIRST}`,
          unit: 'ms',
          queries: durations(consumer, MINE),
        },
        {
          title: 'p95 by topic',
          description: `From delivery to answer. ${BELOW_FIRST}`,
          unit: 'ms',
          queries: [[quantile(0.95, 'topic', consumer, MINE), '{{topic}}']],
        },
        {
          title: 'Average by topic',
          description: 'Exact with any bucket boundaries.',
          unit: 'ms',
          queries: [[average('topic', consumer, MINE), '{{topic}}']],
        },
      ],
    },
  ],
};

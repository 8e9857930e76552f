// Processes, event loops, memory, and the exporter itself.
import { APPLICATION, INSTANCES, WINDOW } from './queries.mjs';

const at = (family) => `${family}{instance=~"$instance"}`;
const own = (family) => `${family}{application=~"$application", instance=~"$instance"}`;
const perSecond = (family) => `rate(${at(family)}[${WINDOW}])`;
const EACH = '{{instance}} {{process}}';
const NODE = 'Node alone.';

export default {
  name: 'runtime',
  title: 'Runtime',
  description:
    'The processes of one service: CPU time, memory, event loops, garbage collections, and what the exporter says of itself.',
  variables: [APPLICATION, INSTANCES],
  rows: [
    {
      title: 'Processes',
      panels: [
        {
          title: 'Processes',
          description: `The hub, its members and their threads; gone: members that have left since the hub began; lost: those of them that were killed. ${NODE}`,
          unit: 'short',
          queries: [[own('channel_exporter_processes'), '{{instance}} {{state}}']],
        },
        {
          title: 'Age',
          description: 'Since each process began.',
          unit: 's',
          queries: [[`time() - ${at('process_start_time_seconds')}`, EACH]],
        },
        {
          title: 'CPU',
          description: 'Cores that each process uses, with all of its threads.',
          unit: 'short',
          queries: [[perSecond('process_cpu_seconds_total'), EACH]],
        },
        {
          title: 'Memory',
          description: 'Resident memory of each process.',
          unit: 'bytes',
          queries: [[at('process_resident_memory_bytes'), EACH]],
        },
        {
          title: 'File descriptors',
          description: 'Part of the limit that is open.',
          unit: 'percentunit',
          queries: [[`${at('process_open_fds')} / ${at('process_max_fds')}`, EACH]],
        },
        {
          title: 'Heap',
          description: `Memory of V8's heap that is used, and what its objects hold outside of it. ${NODE}`,
          unit: 'bytes',
          queries: [
            [at('nodejs_heap_size_used_bytes'), `${EACH} heap`],
            [at('nodejs_external_memory_bytes'), `${EACH} external`],
          ],
        },
      ],
    },
    {
      title: 'Event loop',
      panels: [
        {
          title: 'Event loop busy',
          description: `Part of the time between two scrapes in which the loop was busy. ${NODE}`,
          unit: 'percentunit',
          max: 1,
          queries: [[at('nodejs_eventloop_utilization'), EACH]],
        },
        {
          title: 'Event loop delay, p99',
          description: `Since the scrape before. ${NODE}`,
          unit: 's',
          queries: [[at('nodejs_eventloop_lag_p99_seconds'), EACH]],
        },
        {
          title: 'Garbage collections',
          description: `Part of the time that collections of each kind took. ${NODE}`,
          unit: 'percentunit',
          queries: [
            [`sum by (instance, process, kind) (${perSecond('nodejs_gc_duration_seconds_sum')})`, `${EACH} {{kind}}`],
          ],
        },
        {
          title: 'What keeps the loop alive',
          description: `Handles and requests that are open, by type. ${NODE}`,
          unit: 'short',
          queries: [[`sum by (instance, type) (${at('nodejs_active_resources')})`, '{{instance}} {{type}}']],
        },
      ],
    },
    {
      title: 'The exporter and its scrape',
      panels: [
        {
          title: 'Duration of a scrape',
          description: 'As Prometheus sees it.',
          unit: 's',
          queries: [[at('scrape_duration_seconds'), '{{instance}}']],
        },
        {
          title: 'Series of a scrape',
          description: 'Lines that Prometheus stores at each scrape.',
          unit: 'short',
          queries: [[at('scrape_samples_scraped'), '{{instance}}']],
        },
        {
          title: 'Collection from members',
          description: `How long the hub waited for its members; half a second is the limit. ${NODE}`,
          unit: 's',
          queries: [[own('channel_exporter_collection_seconds'), '{{instance}}']],
        },
        {
          title: 'Late members and pauses',
          description: `Processes that were too late for a scrape, and pauses of reading one that sends too much. ${NODE}`,
          unit: 'short',
          queries: [
            [`increase(${own('channel_exporter_late_deltas_total')}[${WINDOW}])`, '{{instance}} late'],
            [`increase(${own('channel_exporter_read_pauses_total')}[${WINDOW}])`, '{{instance}} pauses'],
          ],
        },
        {
          title: 'Errors and losses',
          description: `Errors inside the exporter, and measurements that it could not keep. 0 where it is healthy. ${NODE}`,
          unit: 'short',
          queries: [
            [
              `sum by (instance, source) (increase(${own('channel_exporter_errors_total')}[${WINDOW}]))`,
              '{{instance}} {{source}}',
            ],
            [
              `sum by (instance, family) (increase(${own('channel_exporter_lost_measurements_total')}[${WINDOW}]))`,
              '{{instance}} {{family}}',
            ],
            [
              `sum by (instance, reason) (increase(${own('channel_exporter_dropped_deltas_total')}[${WINDOW}]))`,
              '{{instance}} {{reason}}',
            ],
          ],
        },
        {
          title: 'Bucket boundaries',
          description: `Of each histogram. Services of different boundaries must not be added up: docs/boundaries.md. ${NODE}`,
          unit: 'short',
          type: 'table',
          queries: [[`count by (family, boundaries) (${own('channel_exporter_boundaries_info')})`, '']],
        },
      ],
    },
  ],
};

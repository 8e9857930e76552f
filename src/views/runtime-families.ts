/**
 * The families about the processes of a service: under the names, types and units of the Python client, and of
 * prom-client's default metrics, so that the dashboards of both show them. Each process has values of its own, which
 * are read when a scrape is written; they have no instrument.
 * @see docs/metrics.md, "Processes and the runtime"
 */
import type { Family } from '.';

/** A family whose series belong to one process each. */
export interface RuntimeFamily extends Family {
  /** Names of its labels, in the order of their values in readings; the process is not among them. */
  readonly labels: readonly string[];
}

/** Seconds; those of prom-client. */
const GC_BOUNDARIES = [0.001, 0.01, 0.1, 1, 2, 5] as const;

/** By what a reading says, in the order in which they are written. */
export const RUNTIME_FAMILIES = {
  cpu: counter('process_cpu_seconds_total', 'CPU time that the process has used, user and system, in seconds.'),
  cpuUser: counter('process_cpu_user_seconds_total', 'CPU time that the process has used in user mode, in seconds.'),
  cpuSystem: counter('process_cpu_system_seconds_total', 'CPU time that the kernel spent for the process, in seconds.'),
  residentMemory: gauge('process_resident_memory_bytes', 'Memory of the process that is in RAM, in bytes.'),
  virtualMemory: gauge('process_virtual_memory_bytes', 'Virtual memory of the process, in bytes.'),
  startTime: gauge('process_start_time_seconds', 'When the process began, in seconds of the Unix epoch.'),
  openFiles: gauge('process_open_fds', 'File descriptors that the process has open.'),
  maxFiles: gauge('process_max_fds', 'File descriptors that the process may open: its soft limit.'),
  loopUtilization: gauge(
    'nodejs_eventloop_utilization',
    'Part of the time since the last scrape in which the event loop was busy, 0 to 1.',
  ),
  lag: gauge(
    'nodejs_eventloop_lag_seconds',
    'How long the event loop let one callback wait, in this scrape, in seconds.',
  ),
  lagMin: gauge('nodejs_eventloop_lag_min_seconds', lagHelp('the shortest')),
  lagMax: gauge('nodejs_eventloop_lag_max_seconds', lagHelp('the longest')),
  lagMean: gauge('nodejs_eventloop_lag_mean_seconds', lagHelp('the mean')),
  lagDeviation: gauge('nodejs_eventloop_lag_stddev_seconds', lagHelp('their standard deviation')),
  lagP50: gauge('nodejs_eventloop_lag_p50_seconds', lagHelp('the 50th percentile')),
  lagP90: gauge('nodejs_eventloop_lag_p90_seconds', lagHelp('the 90th percentile')),
  lagP99: gauge('nodejs_eventloop_lag_p99_seconds', lagHelp('the 99th percentile')),
  gcDuration: {
    ...gauge('nodejs_gc_duration_seconds', 'Duration of garbage collections, by kind, in seconds.', ['kind']),
    kind: 'histogram',
    boundaries: GC_BOUNDARIES,
  },
  heapTotal: gauge('nodejs_heap_size_total_bytes', 'Memory that V8 holds for the heap, in bytes.'),
  heapUsed: gauge('nodejs_heap_size_used_bytes', 'Memory of the heap that is in use, in bytes.'),
  externalMemory: gauge('nodejs_external_memory_bytes', 'Memory outside of the heap that objects hold, in bytes.'),
  spaceTotal: gauge('nodejs_heap_space_size_total_bytes', 'Memory that a space of the heap holds, in bytes.', [
    'space',
  ]),
  spaceUsed: gauge('nodejs_heap_space_size_used_bytes', 'Memory of a space that is in use, in bytes.', ['space']),
  spaceAvailable: gauge('nodejs_heap_space_size_available_bytes', 'Memory of a space that is free, in bytes.', [
    'space',
  ]),
  resources: gauge('nodejs_active_resources', 'What keeps the event loop alive, by type.', ['type']),
  version: gauge('nodejs_version_info', 'The version of Node.js: 1.', ['version', 'major', 'minor', 'patch']),
} as const satisfies Readonly<Record<string, RuntimeFamily>>;

export type RuntimeValue = keyof typeof RUNTIME_FAMILIES;

function gauge(name: string, help: string, labels: readonly string[] = []): RuntimeFamily {
  return { name, help, kind: 'gauge', labels };
}

function counter(name: string, help: string): RuntimeFamily {
  return { name, help, kind: 'counter', labels: [] };
}

function lagHelp(which: string): string {
  return `Delays of the event loop since the last scrape: ${which}, in seconds.`;
}

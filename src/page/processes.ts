/** The head of the page, and what each process of the service uses. */
import { type Context, type Part, say } from './context';
import { byId, element, redraw } from './dom';
import { simpleTable } from './simple-table';
import { type Snapshot, valuesOf } from './snapshot';

const PROCESS_CPU = 'process_cpu_seconds_total';
const MS_PER_SECOND = 1_000;

export function createProcesses(context: Context): Part {
  let last: Snapshot | undefined;
  return (snapshot) => {
    drawFacts(context, snapshot);
    drawProcesses(context, snapshot, last);
    last = snapshot;
  };
}

function drawFacts(context: Context, snapshot: Snapshot): void {
  const { version = '', node = '' } = valuesOf(snapshot, 'channel_exporter_info')[0]?.labels ?? {};
  const since = valuesOf(snapshot, 'channel_exporter_since_seconds')[0]?.value;
  const states = new Map(
    valuesOf(snapshot, 'channel_exporter_processes').map(({ labels, value }) => [labels.state, value]),
  );
  const of = (state: string) => states.get(state) ?? 0;
  const count = of('hub') + of('member') + of('thread');
  const processes = count > 1 ? say(context, 'severalProcesses', { count }) : say(context, 'oneProcess');
  const gone = of('gone') > 0 ? say(context, 'goneProcesses', { count: of('gone') }) : '';
  const facts = [
    [say(context, 'exporter'), version],
    [say(context, 'runtime'), node],
    [say(context, 'processes'), processes + gone],
    ...(since === undefined
      ? []
      : [[say(context, 'uptime'), context.numbers.span(Math.max(0, snapshot.epochMs / MS_PER_SECOND - since))]]),
  ] as const;
  redraw(byId('facts'), facts, () =>
    facts.map(([term = '', text = '']) => element('div', {}, element('dt', {}, term), element('dd', {}, text))),
  );
}

function drawProcesses(context: Context, snapshot: Snapshot, last: Snapshot | undefined): void {
  const { numbers } = context;
  const starts = valuesOf(snapshot, 'process_start_time_seconds');
  const reading = (from: Snapshot | undefined, name: string, process: string | undefined) =>
    from && valuesOf(from, name).find(({ labels }) => labels.process === process)?.value;
  const rows = starts.map(({ labels: { process }, value: start }) => {
    const now = (name: string) => reading(snapshot, name, process);
    const before = reading(last, PROCESS_CPU, process);
    const cpu = now(PROCESS_CPU);
    const seconds = last && (snapshot.atMs - last.atMs) / MS_PER_SECOND;
    const used =
      cpu === undefined || before === undefined || !seconds ? undefined : Math.max(0, cpu - before) / seconds;
    const [memory, files, most] = ['process_resident_memory_bytes', 'process_open_fds', 'process_max_fds'].map(now);
    const loop = now('nodejs_eventloop_lag_p99_seconds');
    const filesText = `${numbers.count(files ?? 0)}${most === undefined ? '' : ` / ${numbers.count(most)}`}`;
    return [
      process ?? say(context, 'thisProcess'),
      used === undefined ? '…' : numbers.share(used),
      memory === undefined ? '–' : numbers.bytes(memory),
      files === undefined ? '–' : filesText,
      loop === undefined ? '–' : numbers.duration(loop * MS_PER_SECOND),
      numbers.span(Math.max(0, snapshot.epochMs / MS_PER_SECOND - start)),
    ];
  });
  redraw(byId('processes'), rows, () => {
    if (rows.length === 0) return [element('p', { class: 'empty' }, say(context, 'noRuntime'))];
    const heads = (['process', 'cpu', 'memory', 'files', 'loop', 'processUptime'] as const).map((word) =>
      say(context, word),
    );
    return [simpleTable(say(context, 'processTitle'), heads, rows, 'unseen', [1, 2, 3, 4, 5])];
  });
}

/** Ends what a test file has started when the file itself ends before its own clean-up: by a signal, or by an error. */
import type { ChildProcess } from 'node:child_process';

const running = new Set<() => void>();
let isWatching = false;

/** Runs something when this process ends, unless what is given back has been called before. */
export function atEnd(end: () => void): () => void {
  watch();
  running.add(end);
  return () => {
    running.delete(end);
  };
}

/** Kills a program with this process, if it still runs then. */
export function endsWithUs(child: ChildProcess): void {
  child.once(
    'close',
    atEnd(() => child.kill('SIGKILL')),
  );
}

function watch(): void {
  if (isWatching) return;
  isWatching = true;
  process.once('exit', () => {
    for (const end of running) end();
  });
  // a runner that is interrupted ends its test files by a signal, after which there is no `exit`
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    process.once(signal, () => process.exit(code));
}

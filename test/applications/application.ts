/** What one real application tells the comparison: how it is installed, started and used, and what is to be counted. */
import type { Installation } from '../support/laid-application';
import type { Metrics } from '../support/metrics';
import type { Service } from '../support/service';
import type { Answer } from './exchange';

/** One run of an application: bare, or measured. Paths and ports are the same for both. */
export interface Side {
  /** The application with its packages. */
  readonly folder: string;
  /** Empty at the start of each run. */
  readonly data: string;
  readonly port: number;
  readonly service: Service;
}

interface Start {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Application {
  readonly name: string;
  readonly installation: Installation;
  /** Least release line of Node; a newer one than that of the tests is fetched. Default: theirs. */
  readonly nodeLine?: number;
  /** Arguments of node and additions to the environment, where the application is to listen on the port. */
  start(side: Omit<Side, 'service'>): Start | Promise<Start>;
  /** Path that answers once it is there. */
  readonly ready: string;
  /** What somebody does with it, in order. */
  use(side: Side): Promise<readonly Answer[]>;
  /** Headers, in lower case, whose values differ from one start to the next. */
  readonly volatileHeaders?: readonly string[];
  /** Replaces what differs in bodies and headers from one start to the next. */
  readonly steady?: (text: string) => string;
  /** Exactly what is counted of {@link USER_AGENT}: `path http_status code`, and how often. */
  readonly series: Readonly<Record<string, number>>;
  /** GETs of one path, and what they are counted as. */
  readonly load: { readonly path: string; readonly series: string; readonly requests: number };
  /** What the process that is started may have at the highest, measured or not. */
  readonly peakLimitBytes?: number;
  /** Further checks, of the measured side alone. */
  check?(metrics: Metrics, side: Side): void | Promise<void>;
  /** Lines for the report, after {@link use}. */
  report?(side: Side): readonly string[];
  /** Ends what it has started beside the application. */
  end?(): void;
}

/** @returns how often each series is to be counted; undefined stands for what is not recorded */
export function seriesOf(rows: readonly (readonly [asked: unknown, series?: string])[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [, series] of rows) if (series !== undefined) counts[series] = (counts[series] ?? 0) + 1;
  return counts;
}

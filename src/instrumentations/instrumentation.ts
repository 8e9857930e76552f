/** The contract of a source of measurements. */
import type { Callers } from '../callers/callers';
import type { Recorder } from '../metrics/measurement';
import type { PartnerDirectory } from '../partners/directory';
import type { ConcretePaths } from '../paths/concrete-paths';

/** What every source is given. */
export interface SourceContext {
  readonly recorder: Recorder;
  readonly partners: PartnerDirectory;
  /** Names of those who send inbound requests. */
  readonly callers: Callers;
  /** What the label has of paths that no framework explained. */
  readonly paths: ConcretePaths;
  /** Decoded paths of inbound requests that are not recorded. */
  readonly ignorePaths: ReadonlySet<string>;
  /** Bytes of a body that are read for codes. */
  readonly bodyLimit: number;
  /** Names and paths of the code of an answer to an inbound request; undefined: `code`. */
  readonly codeFrom?: readonly string[] | undefined;
  /** Names and paths of the interface number of a request, after `method_code`. */
  readonly methodCodeFrom?: readonly string[] | undefined;
  /** How deep in an answer its code may stand, by path; undefined: at any depth. */
  readonly codeDepth: ((path: string) => number) | undefined;
  /** Whether a server is the exporter's own, whose requests are not measured. */
  isOwnServer(server: unknown): boolean;
}

export interface Instrumentation {
  /** As in OTEL_NODE_ENABLED_INSTRUMENTATIONS. */
  readonly name: string;
  /** Begins to observe; does not throw into the application from then on. */
  enable(context: SourceContext): void;
  /** Ends it; what was patched is restored, or passes through where somebody patched above. */
  disable(): void;
  /** Patches a prototype that the application has handed in by `observe`; one that is patched already stays as it is. */
  observe?(prototype: object): void;
  /** Whether anything of its package has been found. Absent where it needs no package. */
  isSeen?(): boolean;
}

/** A row of the table of sources. */
import type { WantedEsModule } from './es-modules';
import type { Instrumentation } from './instrumentation';
import type { InstanceChannel } from './when-file-loaded';

export interface SourceRow {
  /** As in OTEL_NODE_ENABLED_INSTRUMENTATIONS; several sources may share one. */
  readonly name: string;
  /** Loads the source's code. */
  readonly load: () => () => Instrumentation;
  /**
   * Ends of paths of files, one for each way in which the package is laid out: the source is loaded with the first.
   * Those that it patches itself may be others.
   */
  readonly files?: readonly string[];
  /** Those of its files that are ES modules, which the application's loader has to show. */
  readonly esModules?: readonly WantedEsModule[];
  /** By which the package itself tells of what it makes, wherever its files are. */
  readonly channel?: InstanceChannel;
  /** Where servers of the package's protocol listen by default: connections there, without the package, are reported. */
  readonly ports?: readonly number[];
  /** Those of another row that are explained by this one's package. */
  readonly sharedPorts?: readonly number[];
  /** Observes what Node itself has, and no package. */
  readonly isOfNode?: true;
  /** Names of sources of which one has to be on: this one measures nothing by itself. */
  readonly needs?: readonly string[];
}

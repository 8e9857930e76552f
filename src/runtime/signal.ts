/** Connects a part to one that is created after it: what is emitted before there is a listener is not kept. */
export class Signal {
  private listener: (() => void) | undefined;

  /** Bound, so that it can be handed over as a callback. */
  readonly emit = (): void => this.listener?.();

  /** There is one listener at a time. */
  listen(listener: () => void): void {
    this.listener = listener;
  }
}

/**
 * A WeakMap that keeps its latest entry in a field and writes it to the map only when another one is set. An entry that
 * is released before the next one is set never gets into the map, where it would be work for the garbage collector.
 */
export class LatestMap<Key extends object, Value> {
  private key: Key | undefined;
  private value: Value | undefined;
  private readonly earlier = new WeakMap<Key, Value>();

  get(key: Key): Value | undefined {
    return key === this.key ? this.value : this.earlier.get(key);
  }

  set(key: Key, value: Value): void {
    if (this.key !== undefined && this.key !== key) this.earlier.set(this.key, this.value as Value);
    this.key = key;
    this.value = value;
  }

  /**
   * Releases a key, which is referenced strongly while it is the latest.
   * @param isKept whether its entry stays available, referenced weakly
   */
  release(key: Key, isKept: boolean): void {
    if (key !== this.key) return;
    if (isKept) this.earlier.set(key, this.value as Value);
    this.key = undefined;
    this.value = undefined;
  }
}

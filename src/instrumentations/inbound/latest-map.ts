/**
 * A WeakMap whose latest entry is at hand without a look-up, and gets into the map only when another one comes. What
 * is asked for while one request is handled, and is over before the next one begins, costs no entry: each entry of a
 * WeakMap is work for the collector.
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
   * Lets go of a key, which is held while it is the latest.
   * @param isKept whether its entry is still wanted
   */
  release(key: Key, isKept: boolean): void {
    if (key !== this.key) return;
    if (isKept) this.earlier.set(key, this.value as Value);
    this.key = undefined;
    this.value = undefined;
  }
}

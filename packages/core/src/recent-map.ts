interface Node<K, V> {
  readonly key: K;
  value: V;
  newer: Node<K, V> | undefined;
  older: Node<K, V> | undefined;
}

/**
 * A map of at most `max` entries that drops the one that was used longest ago. Takes memory for what it holds, not for
 * what it may hold, and nothing to load.
 */
export class RecentMap<K, V> {
  readonly #nodes = new Map<K, Node<K, V>>();
  readonly #max: number;
  readonly #dropped: ((value: V) => void) | undefined;
  #newest: Node<K, V> | undefined;
  #oldest: Node<K, V> | undefined;

  /** `dropped` is told of every value that the map lets go of. */
  constructor(max: number, dropped?: (value: V) => void) {
    this.#max = max;
    this.#dropped = dropped;
  }

  get(key: K): V | undefined {
    const node = this.#nodes.get(key);
    if (node && node !== this.#newest) {
      this.#unlink(node);
      this.#link(node);
    }
    return node?.value;
  }

  set(key: K, value: V): void {
    this.delete(key);
    const node: Node<K, V> = { key, value, newer: undefined, older: undefined };
    this.#nodes.set(key, node);
    this.#link(node);
    if (this.#nodes.size > this.#max && this.#oldest) this.delete(this.#oldest.key);
  }

  delete(key: K): void {
    const node = this.#nodes.get(key);
    if (!node) return;
    this.#nodes.delete(key);
    this.#unlink(node);
    this.#dropped?.(node.value);
  }

  /** All keys, in the order in which they came. */
  keys(): readonly K[] {
    return [...this.#nodes.keys()];
  }

  clear(): void {
    for (const key of this.keys()) this.delete(key);
  }

  #link(node: Node<K, V>): void {
    node.older = this.#newest;
    node.newer = undefined;
    if (this.#newest) this.#newest.newer = node;
    else this.#oldest = node;
    this.#newest = node;
  }

  #unlink({ newer, older }: Node<K, V>): void {
    if (newer) newer.older = older;
    else this.#newest = older;
    if (older) older.newer = newer;
    else this.#oldest = newer;
  }
}

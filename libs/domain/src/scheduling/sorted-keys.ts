/** A sorted set of numbers in one block of memory: finding is a binary search, moving a block copy. Holds at most its capacity. */
export class SortedKeys {
  #keys: Float64Array;
  #size = 0;

  constructor(capacity: number) {
    this.#keys = new Float64Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  at(index: number): number | undefined {
    return index < this.#size ? this.#keys[index] : undefined;
  }

  /** How many keys are less than `key`: where it is, or would be. */
  lowerBound(key: number): number {
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] ?? Infinity) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Fills an empty set with distinct keys in any order. */
  fill(keys: readonly number[]): void {
    this.#keys.set(keys);
    this.#size = keys.length;
    this.#keys.subarray(0, this.#size).sort();
  }

  insert(key: number): void {
    const index = this.lowerBound(key);
    if (this.at(index) === key) return;
    this.#keys.copyWithin(index + 1, index, this.#size);
    this.#keys[index] = key;
    this.#size += 1;
  }

  delete(key: number): void {
    const index = this.lowerBound(key);
    if (this.at(index) !== key) return;
    this.#keys.copyWithin(index, index + 1, this.#size);
    this.#size -= 1;
  }
}

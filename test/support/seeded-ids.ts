import type { IdSource } from '#domain';

/** Names and numbers that follow from a seed alone (mulberry32). */
export class SeededIds implements IdSource {
  #count = 0;

  constructor(private seed = 1) {}

  uuid(): string {
    this.#count += 1;
    const tail = Math.floor(this.random() * 2 ** 32).toString(16);
    return `${String(this.#count).padStart(8, '0')}-0000-4000-8000-${tail.padStart(12, '0')}`;
  }

  random(): number {
    this.seed = (this.seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.seed ^ (this.seed >>> 15), 1 | this.seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

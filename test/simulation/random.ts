import type { IdSource } from '#domain';

// Looked up once: these run a million times per seed.
const { imul, floor } = Math;

/**
 * Numbers that follow from a seed alone (mulberry32). Each part of a world draws from a fork of its own, so that one part that
 * draws once more does not change what the others get.
 */
export class Random {
  private state: number;

  constructor(private readonly seed: number) {
    this.state = mix(seed + 0x9e3779b9);
  }

  /** A generator of its own; the same name gives the same numbers. */
  fork(name: string): Random {
    let hash = this.seed | 0;
    for (let index = 0; index < name.length; index++) hash = mix(imul(hash ^ name.charCodeAt(index), 0x01000193));
    return new Random(hash);
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    return mix(this.state) / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + floor(this.next() * (high - low + 1));
  }

  /** Between two positive bounds, as often in each order of magnitude: what delays look like. */
  spread(low: number, high: number): number {
    return low * (high / low) ** this.next();
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('nothing to pick from');
    return items[floor(this.next() * items.length)] as T;
  }

  /** One of several, each as likely as its weight says. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T {
    const entries = Object.entries<number>(weights) as [T, number][];
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    return this.pick(entries)[0];
  }

  /** Names drawn from this generator. */
  ids(): IdSource {
    const hex = (digits: number): string =>
      floor(this.next() * 16 ** digits)
        .toString(16)
        .padStart(digits, '0');
    return {
      random: () => this.next(),
      uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(6)}${hex(6)}`,
    };
  }
}

function mix(value: number): number {
  let mixed = value | 0;
  mixed = imul(mixed ^ (mixed >>> 15), 1 | mixed);
  mixed = (mixed + imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return (mixed ^ (mixed >>> 14)) >>> 0;
}

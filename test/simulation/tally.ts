/** How often each thing happened, by its name. */
export type Counts = Readonly<Record<string, number>>;

/** Counts what happens in one world, or adds up what happened in many. */
export class Tally {
  private readonly byName = new Map<string, number>();

  /** Names given here are listed even when they never come. */
  constructor(names: Iterable<string> = []) {
    for (const name of names) this.byName.set(name, 0);
  }

  count(name: string, times = 1): void {
    this.byName.set(name, (this.byName.get(name) ?? 0) + times);
  }

  add(counts: Counts): void {
    for (const [name, times] of Object.entries(counts)) this.count(name, times);
  }

  /** In the order of the names. */
  get counts(): Counts {
    return Object.fromEntries([...this.byName].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

import { FAULT_KINDS } from './faults.js';
import type { Outcome } from './run.js';
import { explain } from './seeds.js';
import { Tally, type Counts } from './tally.js';

/** What came of many seeds; `--report FILE` writes it as JSON. */
export interface Report {
  /** Runs: as many as seeds, or twice that when each was run twice. */
  readonly runs: number;
  readonly steps: number;
  /** Trace hash of each seed. */
  readonly hashes: Readonly<Record<number, string>>;
  /** Seeds that broke an invariant, and for each all that is needed to look into it. */
  readonly failed: readonly { readonly seed: number; readonly invariant: string; readonly why: string }[];
  /** Seeds that gave two traces. */
  readonly unsteady: readonly number[];
  /** How often each kind of fault struck. */
  readonly faults: Counts;
  /** Events in the logs, by type. */
  readonly events: Counts;
}

/** Adds outcomes up. */
export class Reporter {
  private runs = 0;
  private steps = 0;
  private readonly hashes = new Map<number, string>();
  private readonly failed = new Map<number, Report['failed'][number]>();
  private readonly unsteady = new Set<number>();
  private readonly faults = new Tally(FAULT_KINDS);
  private readonly events = new Tally();

  add(outcome: Outcome): void {
    const { seed, steps, hash, violation } = outcome;
    this.runs += 1;
    this.steps += steps;
    this.faults.add(outcome.faults);
    this.events.add(outcome.eventTypes);
    if ((this.hashes.get(seed) ?? hash) !== hash) this.unsteady.add(seed);
    this.hashes.set(seed, hash);
    if (violation) this.failed.set(seed, { seed, invariant: violation.invariant, why: explain(outcome) });
  }

  get report(): Report {
    const { runs, steps } = this;
    return {
      ...{ runs, steps, hashes: Object.fromEntries(this.hashes) },
      ...{ failed: [...this.failed.values()], unsteady: [...this.unsteady] },
      ...{ faults: this.faults.counts, events: this.events.counts },
    };
  }
}

/** An invariant that did not hold, and what was seen. */
export interface Violation {
  readonly invariant: string;
  readonly message: string;
}

/** Keeps the first violation: what follows from it is noise. */
export class Verdicts {
  private first: Violation | undefined;

  get violation(): Violation | undefined {
    return this.first;
  }

  fail(invariant: string, message: string): void {
    this.first ??= { invariant, message };
  }

  check(holds: boolean, invariant: string, message: () => string): void {
    if (!holds) this.fail(invariant, message());
  }
}

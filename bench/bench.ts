/** Where a bench says what it found. */
export type Print = (line: string) => void;

/** One question about speed or size. It throws when the run it timed was no success: then there is no figure. */
export interface Bench {
  readonly name: string;
  /** One line: what is set against what. */
  readonly about: string;
  /** `argument`: what follows `=` after the name on the command line. */
  run(print: Print, argument: number | undefined): Promise<void>;
}

/** Throws unless a run did what it was timed for. */
export function assertRan(did: boolean, what: string): asserts did {
  if (!did) throw new Error(`the run that was timed is no success: ${what}`);
}

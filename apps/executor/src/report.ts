/** Told of what goes wrong and has no request to answer: one line, and why. */
export type Report = (problem: string, cause?: unknown) => void;

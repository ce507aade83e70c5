import { createHash } from 'node:crypto';

/** Lines kept for the report of a failure. */
const KEPT = 400;

/** What happened, line by line: the newest lines to be read, and a hash of all of them to be compared. */
export class Trace {
  private readonly ring: string[] = [];
  private count = 0;
  private readonly digest = createHash('sha1');

  /** `onLine` is told of every line, as it comes. */
  constructor(private readonly onLine?: (line: string) => void) {}

  add(line: string): void {
    this.onLine?.(line);
    this.ring[this.count % KEPT] = line;
    this.count += 1;
    this.digest.update(line);
  }

  get hash(): string {
    return this.digest.copy().digest('hex').slice(0, 16);
  }

  /** The newest lines, oldest first. */
  newest(lines: number): string[] {
    const from = Math.max(0, this.count - Math.min(lines, KEPT));
    return Array.from({ length: this.count - from }, (_, index) => this.ring[(from + index) % KEPT] ?? '');
  }
}

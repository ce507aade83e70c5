/** Lines kept for the report of a failure. */
const KEPT = 400;

/** What happened, line by line: the newest lines to be read, and a hash of all of them to be compared. */
export class Trace {
  private readonly ring: string[] = [];
  private count = 0;
  private low = 0x811c9dc5;
  private high = 0xcbf29ce4;

  /** `onLine` is told of every line, as it comes. */
  constructor(private readonly onLine?: (line: string) => void) {}

  add(line: string): void {
    this.onLine?.(line);
    this.ring[this.count % KEPT] = line;
    this.count += 1;
    for (let index = 0; index < line.length; index++) {
      const unit = line.charCodeAt(index);
      this.low = Math.imul(this.low ^ unit, 0x01000193);
      this.high = Math.imul(this.high ^ (unit + index), 0x01000193);
    }
  }

  get hash(): string {
    const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
    return hex(this.high) + hex(this.low);
  }

  /** The newest lines, oldest first. */
  newest(lines: number): string[] {
    const from = Math.max(0, this.count - Math.min(lines, KEPT));
    return Array.from({ length: this.count - from }, (_, index) => this.ring[(from + index) % KEPT] ?? '');
  }
}

/** A bell that any number of parties ring and one waits for. Rung while nobody waits, it is remembered once. */
export class Wakeup {
  private rung = false;
  private waiter: (() => void) | undefined;

  ring(): void {
    this.rung = true;
    this.waiter?.();
  }

  /** What it was rung for so far is about to be seen to. */
  hush(): void {
    this.rung = false;
  }

  /** Whether it was rung since the last {@link wait} or {@link hush}. */
  get isRung(): boolean {
    return this.rung;
  }

  /** Resolves when it was rung since the last wait. */
  async wait(): Promise<void> {
    if (!this.rung) await new Promise<void>((resolve) => (this.waiter = resolve));
    this.waiter = undefined;
    this.rung = false;
  }
}

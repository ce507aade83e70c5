import type { Growth } from '#domain';

/**
 * News of a log's growth within one process. Handles on the same log may share one: then what any of them appends is handed to
 * the listeners of all, and none of them reads it back.
 */
export class GrowthNews {
  readonly #listeners = new Set<(news: Growth) => void>();
  #underWay = 0;
  /** What was heard from outside while appends of this process were under way. */
  #heard: Growth | undefined;

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  /** Calls `grown` with all news; the returned function ends that. */
  listen(grown: (news: Growth) => void): () => void {
    // Of its own, so that one function may listen twice.
    const listener = (news: Growth): void => grown(news);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What this process knows itself. */
  tell(news: Growth): void {
    for (const grown of [...this.#listeners]) grown(news);
  }

  /**
   * What the database notifies of is mostly this process's own: while an append is under way the news waits for its end, so
   * that readers who are handed the events by then need not look.
   */
  hear(news: Growth): void {
    if (this.#underWay === 0) this.tell(news);
    else this.#heard = { head: Math.max(this.#heard?.head ?? 0, news.head ?? Infinity) };
  }

  /** Runs an append of this process. */
  async during<T>(append: () => Promise<T>): Promise<T> {
    this.#underWay += 1;
    try {
      return await append();
    } finally {
      this.#underWay -= 1;
      const heard = this.#heard;
      this.#heard = undefined;
      if (heard) this.tell(heard);
    }
  }
}

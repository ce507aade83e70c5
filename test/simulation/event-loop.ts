import type { Millis } from '#domain';
import type { Random } from './random.js';
import { Trace } from './trace.js';

/** Who a task belongs to: only while it runs may its code run. */
export interface Owner {
  readonly name: string;
  readonly state: 'running' | 'paused' | 'dead';
  /** Keeps a task for when the owner goes on. */
  hold(task: Task): void;
}

export interface Task {
  readonly at: Millis;
  readonly tie: number;
  readonly order: number;
  readonly label: string;
  readonly owner: Owner | undefined;
  readonly run: () => void;
  cancelled: boolean;
}

/** Where the virtual time of every world begins. */
export const EPOCH: Millis = Date.UTC(2026, 0, 1);

/**
 * The one thread of a simulated world: tasks in the order of their times, ties broken by the seed. After each task everything
 * that waits for nothing but its turn has its turn, so that between two tasks nothing moves.
 */
export class EventLoop {
  readonly trace: Trace;
  private readonly heap: Task[] = [];
  private time: Millis = EPOCH;
  private scheduled = 0;
  private executed = 0;

  constructor(
    private readonly random: Random,
    onLine?: (line: string) => void,
  ) {
    this.trace = new Trace(onLine);
  }

  get now(): Millis {
    return this.time;
  }

  /** Tasks executed so far. */
  get steps(): number {
    return this.executed;
  }

  /** Runs later; the returned function cancels. A task of a dead owner never runs, one of a paused owner when that goes on. */
  schedule(delayMs: number, label: string, run: () => void, owner?: Owner): () => void {
    const at = this.time + Math.max(0, delayMs);
    const tie = this.random.next();
    const task: Task = { at, tie, order: this.scheduled++, label, owner, run, cancelled: false };
    this.push(task);
    return () => {
      task.cancelled = true;
    };
  }

  /** Puts held tasks back, due now. */
  release(tasks: readonly Task[]): void {
    for (const task of tasks) if (!task.cancelled) this.push(task);
  }

  /** Adds to the trace what is worth knowing about the present step. */
  note(text: string): void {
    this.trace.add(`${this.stamp()}   ${text}`);
  }

  /** Executes the next task due until then; false when there is none, and it is then. */
  async step(until: Millis): Promise<boolean> {
    for (;;) {
      const task = this.heap[0];
      if (task === undefined || task.at > until) {
        this.time = Math.max(this.time, until);
        return false;
      }
      this.pop();
      if (task.cancelled || task.owner?.state === 'dead') continue;
      if (task.owner?.state === 'paused') {
        task.owner.hold(task);
        continue;
      }
      this.time = Math.max(this.time, task.at);
      this.executed += 1;
      this.trace.add(`${this.stamp()} ${task.owner?.name ?? '-'} ${task.label}`);
      task.run();
      await new Promise((resolve) => setImmediate(resolve));
      return true;
    }
  }

  private stamp(): string {
    return ((this.time - EPOCH) / 1000).toFixed(4);
  }

  private push(task: Task): void {
    const { heap } = this;
    let at = heap.push(task) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, task)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = task;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      let below = heap[child];
      if (below === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, below)) {
        child += 1;
        below = right;
      }
      if (isBefore(last, below)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Task, b: Task): boolean {
  if (a.at !== b.at) return a.at < b.at;
  return a.tie !== b.tie ? a.tie < b.tie : a.order < b.order;
}

import { createHash } from 'node:crypto';
import { ClusterState, type ObjectChange, type Recorded, type Revision, type StoredObject } from '#domain';
import type { LogState } from '#eventlog';

/** One command as the log took it. */
export interface LoggedCommand {
  readonly id: string;
  readonly last: Revision;
  readonly events: readonly Recorded[];
  readonly changes: readonly ObjectChange[];
}

/** Every so many commands the whole state is compared; each costs as much as a command's work of the whole world. */
const SAMPLED = 24;

/** What the log says at this very moment: the state that everybody else will have when they have read as far. */
export class Oracle {
  readonly state = ClusterState.empty();
  /** First revision of each command. */
  private readonly firstByCommand = new Map<string, Revision>();
  /** Ends of commands, in order. */
  private readonly ends: Revision[] = [0];
  private readonly nextEnd = new Map<Revision, Revision>();
  private readonly hashes = new Map<Revision, string>();
  private readonly podLists: { readonly revision: Revision; readonly pods: readonly string[] }[] = [];

  constructor(
    private readonly log: LogState,
    private readonly onCommand: (command: LoggedCommand) => void,
  ) {
    log.watch(() => this.read());
  }

  hasCommand(id: string): boolean {
    return this.firstByCommand.has(id);
  }

  event(revision: Revision): Recorded | undefined {
    return this.log.readAfter(revision - 1, 1)[0];
  }

  /** The end of the command after the one that ended there. */
  endAfter(end: Revision): Revision | undefined {
    return this.nextEnd.get(end);
  }

  /** Revisions for which it is known which pods there were. */
  get knownLists(): readonly { readonly revision: Revision; readonly pods: readonly string[] }[] {
    return this.podLists;
  }

  /** Hash of the state at the end of a command, of the few for which it was taken. */
  hashAt(end: Revision): string | undefined {
    return this.hashes.get(end);
  }

  private read(): void {
    let events: Recorded[] = [];
    let changes: ObjectChange[] = [];
    for (const event of this.log.readAfter(this.state.revision, Number.MAX_SAFE_INTEGER)) {
      events.push(event);
      changes.push(...this.state.apply(event));
      if (event.revision !== event.commandLast) continue;
      this.keep({ id: event.commandId, last: event.revision, events, changes });
      events = [];
      changes = [];
    }
  }

  private keep(command: LoggedCommand): void {
    const { id, last, events } = command;
    this.firstByCommand.set(id, last - events.length + 1);
    const before = this.ends.at(-1) ?? 0;
    this.ends.push(last);
    this.nextEnd.set(before, last);
    if (this.ends.length % SAMPLED === 0) {
      this.hashes.set(last, hashOf(this.state));
      this.podLists.push({ revision: last, pods: [...this.state.pods()].map(lineOf).sort() });
    }
    this.onCommand(command);
  }
}

/** The state, byte for byte. */
export const hashOf = (state: ClusterState): string =>
  createHash('sha1').update(JSON.stringify(state.toSnapshot())).digest('hex');

/** An object in one line. */
export const lineOf = ({ meta }: StoredObject): string =>
  `${meta.namespace}/${meta.name} ${meta.uid} ${meta.resourceVersion}`;

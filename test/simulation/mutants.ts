import { LogUnavailable, type AppendCommand, type Appended, type Clock, type EventLog, type IdSource } from '#domain';
import { LogState } from '#eventlog';
import { RuntimeError, type ContainerRuntime } from '../../apps/executor/src/runtime/container-runtime.js';
import type { Sabotage } from './sabotage.js';
import { wrap } from './wrap.js';

/*
 * Bugs planted on purpose: the simulation is worth its time only if it finds them. Each wraps a port; the programs themselves
 * stay as they are.
 */

/** A log that takes every append, whatever version it was decided on. */
class UncheckedLog extends LogState {
  override append(command: AppendCommand): Appended {
    const versionOf = (stream: string): number => this.readStream(stream, 0).length;
    const writes = command.writes.map((write) => ({ ...write, expectedVersion: versionOf(write.stream) }));
    return super.append({ ...command, writes, guards: [] });
  }
}

/** Says that an append was carried out though nobody knows whether it was. */
function acknowledgeBeforeCommit(log: EventLog): EventLog {
  return wrap(log, {
    append: async (command) => {
      try {
        return await log.append(command);
      } catch (error) {
        if (!(error instanceof LogUnavailable)) throw error;
        return { first: 1, last: 1, duplicate: false };
      }
    },
  });
}

/** Forgets a container once it could not be stopped or removed: it is not seen again. */
function forgetOnFailure(runtime: ContainerRuntime): ContainerRuntime {
  const forgotten = new Set<string>();
  const noting = async <T>(id: string, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (error instanceof RuntimeError) forgotten.add(id);
      throw error;
    }
  };
  return wrap(runtime, {
    list: async (uid) => (await runtime.list(uid)).filter(({ id }) => !forgotten.has(id)),
    stop: (id, graceSeconds) => noting(id, runtime.stop(id, graceSeconds)),
    remove: (id) => noting(id, runtime.remove(id)),
  });
}

/** A log that does not look at streams which a command read and does not write. */
class UnguardedLog extends LogState {
  override append({ guards: _, ...command }: AppendCommand): Appended {
    return super.append(command);
  }
}

/** By what each does wrong. */
export const MUTANTS: Readonly<Record<string, Sabotage>> = {
  'drops the expected-version check': { logState: (clock: Clock, ids: IdSource) => new UncheckedLog(clock, ids) },
  'drops the guards': { logState: (clock: Clock, ids: IdSource) => new UnguardedLog(clock, ids) },
  'acknowledges before commit': { log: acknowledgeBeforeCommit },
  'forgets one container on failure': { runtime: forgetOnFailure },
};

import type { EventFeed, MessageBus, Revision } from '#domain';
import { InMemoryEventFeed, type InMemoryBus, type InMemoryEventStream } from '#bus';
import { InMemoryEventLog, type LogState } from '#eventlog';
import type { NodeStateStore } from '../../apps/executor/src/node-state-store.js';
import type { Prober } from '../../apps/executor/src/probes/prober.js';
import type { ContainerRuntime } from '../../apps/executor/src/runtime/container-runtime.js';
import type { Link } from './link.js';
import type { SimProcess } from './sim-process.js';

/** The log as a process sees it. */
export function logOf(process: SimProcess, link: Link, state: LogState): InMemoryEventLog {
  return new InMemoryEventLog({
    clock: process.clock,
    ids: process.ids,
    state,
    schedule: (label, work) =>
      label === 'log.grown' ? hint(process, link, label, work) : process.call(label, link, work),
  });
}

/** News travels one way, and is nobody's to wait for. */
function hint<T>(process: SimProcess, link: Link, label: string, work: () => T): Promise<T> {
  const { requestMs, fault } = link.fate(label);
  return new Promise((resolve) => {
    if (fault === undefined && process.state !== 'dead') process.later(requestMs, label, () => resolve(work()));
  });
}

/** The bus as a process sees it: what reaches it reaches it in its own tasks. */
export function busOf(process: SimProcess, bus: InMemoryBus): MessageBus {
  const received = <T>(label: string, outcome: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      outcome.then(
        (value) => process.enter(label, () => resolve(value)),
        (error: unknown) => process.enter(label, () => reject(error)),
      );
    });
  return {
    get connected() {
      return bus.connected;
    },
    publish: (subject, message) => bus.publish(subject, message),
    subscribe: (subject, handle) => bus.subscribe(subject, handle),
    request: (subject, message, timeoutMs) =>
      received(`answer on ${subject}`, bus.request(subject, message, timeoutMs)),
    respond: (subject, queue, handle) => bus.respond(subject, queue, handle),
    onConnection: (changed) =>
      bus.onConnection((connected) =>
        process.enter(connected ? 'connected' : 'disconnected', () => changed(connected)),
      ),
  };
}

/** The stream EVENTS as a process sees it. */
export function feedOf(process: SimProcess, link: Link, stream: InMemoryEventStream): EventFeed {
  const feed = new InMemoryEventFeed(stream);
  return {
    inspect: () => process.call('feed.inspect', link, () => feed.inspect()),
    create: (base: Revision) => process.call(`feed.create ${base}`, link, () => feed.create(base)),
    publish: (after, messages) =>
      process.call(`feed.publish ${after} +${messages.length}`, link, () => feed.publish(after, messages)),
  };
}

/** A container engine as an executor's process sees it. */
export function runtimeOf(process: SimProcess, link: Link, engine: ContainerRuntime): ContainerRuntime {
  const call = <T>(label: string, work: () => Promise<T>): Promise<T> => process.call(`engine.${label}`, link, work);
  return {
    info: () => call('info', () => engine.info()),
    list: (uid) => call(`list ${uid ?? ''}`, () => engine.list(uid)),
    podsWithVolumes: () => call('podsWithVolumes', () => engine.podsWithVolumes()),
    createSandbox: (spec) => call(`createSandbox ${spec.pod.name}`, () => engine.createSandbox(spec)),
    startSandbox: (id) => call(`startSandbox ${short(id)}`, () => engine.startSandbox(id)),
    createContainer: (spec) => call(`create ${spec.pod.name}/${spec.name}`, () => engine.createContainer(spec)),
    startContainer: (id) => call(`start ${short(id)}`, () => engine.startContainer(id)),
    stop: (id, graceSeconds) => call(`stop ${short(id)} ${graceSeconds}`, () => engine.stop(id, graceSeconds)),
    exec: (id, command, options) =>
      call(`exec ${short(id)} ${command[0] ?? ''}`, () => engine.exec(id, command, options)),
    remove: (id) => call(`remove ${short(id)}`, () => engine.remove(id)),
    removeVolumes: (uid) => call(`removeVolumes ${uid}`, () => engine.removeVolumes(uid)),
    image: (reference) => call(`image ${reference}`, () => engine.image(reference)),
    pull: (reference, onProgress) =>
      call(`pull ${reference}`, () =>
        engine.pull(reference, (progress) => process.enter('pull progress', () => onProgress(progress))),
      ),
    logs: (id, options, onChunk, signal) =>
      call(`logs ${short(id)}`, () =>
        engine.logs(
          id,
          options,
          (chunk) => new Promise((resolve) => process.enter('logs', () => resolve(onChunk(chunk)))),
          signal,
        ),
      ),
    onChange: (wake) => {
      const unwatch = engine.onChange((uid) => {
        const { requestMs, fault } = link.fate('engine event');
        if (fault === undefined) process.later(requestMs, `engine event ${uid ?? ''}`, () => wake(uid));
      });
      process.onEnd(unwatch);
      return unwatch;
    },
  };
}

/** The servers in a node's pods as an executor's process sees them. */
export function proberOf(process: SimProcess, link: Link, prober: Prober): Prober {
  return {
    ask: (check, timeoutMs) =>
      process.call(`probe ${check.type} ${check.host}:${check.port}`, link, () => prober.ask(check, timeoutMs)),
  };
}

/** A node's file: it outlives the runs of its executor. */
export class NodeDisk {
  private state: Awaited<ReturnType<NodeStateStore['load']>>;

  wipe(): void {
    this.state = undefined;
  }

  storeFor(process: SimProcess, link: Link): NodeStateStore {
    return {
      load: () => process.call('disk.load', link, () => this.state),
      save: (state) =>
        process.call('disk.save', link, () => {
          this.state = state;
        }),
    };
  }
}

const short = (id: string): string => id.slice(0, 12);

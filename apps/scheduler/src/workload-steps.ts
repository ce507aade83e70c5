import {
  type ClusterState,
  decidePod,
  decideWorkload,
  editableOf,
  generatedName,
  isWorkload,
  type JsonObject,
  namespaceStream,
  streamOfKind,
  type WorkloadState,
  type WorkloadStep,
} from '#domain';
import type { StreamDecision } from '#eventlog';
import { decideRemoval, podAt, streamOfObject, workloadAt } from './objects.js';
import { type Cause, type Footing, footingOf, type Outcome } from './term.js';
import type { Workplace } from './workplace.js';

/** Objects made by one command. Requests of pods are large, and one command is read whole by every follower. */
const CREATIONS_PER_COMMAND = 50;

type Creation = Extract<WorkloadStep, { readonly type: 'Create' }>;
type Edit = Extract<WorkloadStep, { readonly type: 'Edit' }>;

/** A creation with its uid and name: drawn once, so that a repeated command asks for the same object. */
interface Drawn {
  readonly creation: Creation;
  readonly uid: string;
  readonly name: string;
  readonly stream: string;
}

/** Carries out what the rules of a workload ask for: each step is a command that rests on what was decided on. */
export class WorkloadSteps {
  constructor(
    private readonly workplace: Workplace,
    private readonly manager: string,
  ) {}

  /** Begins all steps; the footing of each is taken before this returns. */
  carryOut(
    state: ClusterState,
    workload: WorkloadState,
    steps: readonly WorkloadStep[],
    cause: Cause | undefined,
  ): Promise<Outcome>[] {
    const own = streamOfObject(workload);
    const run = (streams: readonly string[], decide: (current: ClusterState) => readonly StreamDecision[]) =>
      this.workplace.term.execute({ ...(cause && { cause }), footing: footingOf(state, [own, ...streams]), decide });
    const changes = steps.flatMap((step) => {
      if (step.type === 'Create') return [];
      const target = streamOfObject(step.object);
      return run([target], (current) =>
        step.type === 'Edit' ? this.#edit(current, step, target) : decideRemoval(current, step.object, target, step),
      );
    });
    const { namespace } = workload.meta;
    const drawn = this.#draw(state, namespace, steps);
    const batches = Array.from({ length: Math.ceil(drawn.length / CREATIONS_PER_COMMAND) }, (_, index) =>
      drawn.slice(index * CREATIONS_PER_COMMAND, (index + 1) * CREATIONS_PER_COMMAND),
    );
    const creations = batches.map((batch) =>
      run([namespaceStream(namespace), ...batch.map(({ stream }) => stream)], (current) =>
        create(current, namespace, batch),
      ),
    );
    return [...changes, ...creations];
  }

  /** Records a workload's status; nothing when it is as it was. */
  tell(workload: WorkloadState, status: JsonObject, footing: Footing, cause: Cause | undefined): Promise<Outcome> {
    const { kind, meta } = workload;
    const stream = streamOfObject(workload);
    const command = { type: 'RecordWorkloadStatus', uid: meta.uid, status } as const;
    return this.workplace.term.execute({
      ...(cause && { cause }),
      footing,
      decide: (state) => [{ stream, events: decideWorkload(kind, command, workloadAt(state, stream)) }],
    });
  }

  #draw(state: ClusterState, namespace: string, steps: readonly WorkloadStep[]): Drawn[] {
    const { ids } = this.workplace;
    const taken = new Set<string>();
    return steps.flatMap((creation) => {
      if (creation.type !== 'Create') return [];
      const streamOf = (name: string): string => streamOfKind(creation.kind, namespace, name);
      let name = creation.name ?? generatedName(creation.meta.generateName ?? '', () => ids.random());
      while (creation.name === undefined && (taken.has(streamOf(name)) || state.get(streamOf(name))))
        name = generatedName(creation.meta.generateName ?? '', () => ids.random());
      const stream = streamOf(name);
      taken.add(stream);
      return [{ creation, uid: ids.uuid(), name, stream }];
    });
  }

  #edit(state: ClusterState, { object, desired }: Edit, stream: string): readonly StreamDecision[] {
    const current = state.get(stream);
    if (current?.meta.uid !== object.meta.uid) return [];
    const request = {
      preconditions: { uid: object.meta.uid },
      fieldManager: this.manager,
      operation: 'Update',
      managedFields: [],
    } as const;
    if (current.kind === 'Pod') {
      const command = { type: 'ChangePod', desired: { ...editableOf(current), ...desired }, ...request } as const;
      return [{ stream, events: decidePod(command, current) }];
    }
    if (!isWorkload(current)) return [];
    const command = { type: 'ChangeWorkload', desired: { ...editableOf(current), ...desired }, ...request } as const;
    return [{ stream, events: decideWorkload(current.kind, command, current) }];
  }
}

function create(state: ClusterState, namespace: string, batch: readonly Drawn[]): readonly StreamDecision[] {
  const home = state.namespace(namespace);
  // Nothing is made in a namespace that is going; the workload goes with it.
  if (!home || home.meta.deletion) return [];
  return batch
    .filter(({ uid }) => !state.objectByUid(uid))
    .map(({ creation, uid, name, stream }) => {
      const meta = { ...creation.meta, uid };
      const { kind, spec } = creation;
      if (kind === 'Pod') {
        const command = { type: 'RequestPod', namespace, name, meta, spec } as const;
        return { stream, events: decidePod(command, podAt(state, stream)) };
      }
      const { replicas } = creation;
      const command = {
        type: 'RequestWorkload',
        namespace,
        name,
        meta,
        spec,
        ...(replicas !== undefined && { replicas }),
      } as const;
      return { stream, events: decideWorkload(kind, command, workloadAt(state, stream)) };
    });
}

import {
  admitPod,
  type ClusterState,
  decidePlain,
  decidePod,
  decideWorkload,
  type DomainError,
  editableOf,
  generatedName,
  isPlain,
  isWorkload,
  type JsonObject,
  type Made,
  type Millis,
  namespaceStream,
  streamOfKind,
  type WorkloadFact,
  type WorkloadPlan,
  type WorkloadRules,
  type WorkloadState,
  type WorkloadStep,
} from '#domain';
import type { StreamDecision } from '#eventlog';
import { decideRemoval, podAt, streamOfObject, workloadAt } from './objects.js';
import { type Cause, type Footing, footingOf, type Outcome } from './term.js';
import type { Workplace } from './workplace.js';

/** Objects made by one command. Requests of pods are large, and one command is read whole by every follower. */
const CREATIONS_PER_COMMAND = 50;

/** How often an unchanged refusal is recorded again, at most. */
const REFUSAL_REPEAT_MS = 60_000;

type Creation = Extract<WorkloadStep, { readonly type: 'Create' }>;
type Edit = Extract<WorkloadStep, { readonly type: 'Edit' }>;
type Deletion = Extract<WorkloadStep, { readonly type: 'Delete' }>;

/** A creation with its uid and name: drawn once, so that a repeated command asks for the same object. */
interface Drawn {
  readonly creation: Creation;
  readonly uid: string;
  readonly name: string;
  readonly stream: string;
}

/** Carries out what the rules of a workload ask for: each step is a command that rests on what was decided on. */
export class WorkloadSteps {
  /** By stream: what was last told to be refused. */
  readonly #refusals = new Map<string, { readonly message: string; readonly at: Millis }>();

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
      return run([target], (current) => this.#change(current, step, target));
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

  /** Carries out a plan, its facts and its status as one command. `factsOf` tells what the workload records of what is made. */
  carryOutTogether(
    state: ClusterState,
    workload: WorkloadState,
    { steps, status = workload.status, facts = [] }: WorkloadPlan,
    factsOf: (made: readonly Made[]) => readonly WorkloadFact[],
    cause: Cause | undefined,
  ): Promise<Outcome> {
    const { kind, meta } = workload;
    const own = streamOfObject(workload);
    const drawn = this.#draw(state, meta.namespace, steps);
    const changes = steps.flatMap((step) =>
      step.type === 'Create' ? [] : [{ step, stream: streamOfObject(step.object) }],
    );
    const made = factsOf(drawn.map(({ creation, uid, name }) => ({ uid, name, meta: creation.meta })));
    const told = { type: 'RecordWorkloadStatus', uid: meta.uid, status, facts: [...facts, ...made] } as const;
    const touched = [...changes.map(({ stream }) => stream), ...drawn.map(({ stream }) => stream)];
    const home = drawn.length > 0 ? [namespaceStream(meta.namespace)] : [];
    return this.workplace.term.execute({
      ...(cause && { cause }),
      footing: footingOf(state, [own, ...home, ...touched]),
      decide: (current) => {
        if (drawn.length > 0 && !isOpen(current, meta.namespace)) return [];
        const changed = changes.flatMap(({ step, stream }) => this.#change(current, step, stream));
        const toldOfItself = changed.find(({ stream }) => stream === own);
        const events = decideWorkload(kind, told, workloadAt(current, own));
        return [
          ...(toldOfItself ? [] : [{ stream: own, events }]),
          ...create(current, meta.namespace, drawn),
          ...changed,
        ];
      },
    });
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

  /** Records that something could not be made: when the words are new, else once a minute. */
  async tellRefusal(
    stream: string,
    uid: string,
    { reason, message }: DomainError,
    rules: WorkloadRules,
    cause: Cause | undefined,
  ): Promise<void> {
    const { clock, term } = this.workplace;
    const now = clock.now();
    const known = this.#refusals.get(stream);
    if (known?.message === message && now - known.at < REFUSAL_REPEAT_MS) return;
    this.#refusals.set(stream, { message, at: now });
    await term.execute({
      ...(cause && { cause }),
      footing: new Map(),
      decide: (state) => {
        const current = workloadAt(state, stream);
        if (current?.meta.uid !== uid) return [];
        const refusal = { type: 'RecordCreationRefused', uid, reason, message } as const;
        const status = rules.refused?.(current, message, now);
        const told = status && ({ type: 'RecordWorkloadStatus', uid, status } as const);
        return [
          {
            stream,
            events: [
              ...decideWorkload(current.kind, refusal, current),
              ...(told ? decideWorkload(current.kind, told, current) : []),
            ],
          },
        ];
      },
    });
  }

  /** Nothing is refused any more. */
  forgetRefusal(stream: string): void {
    this.#refusals.delete(stream);
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

  #change(state: ClusterState, step: Edit | Deletion, stream: string): readonly StreamDecision[] {
    return step.type === 'Edit' ? this.#edit(state, step, stream) : decideRemoval(state, step.object, stream, step);
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
    if (isPlain(current)) {
      const command = {
        type: 'ChangePlainObject',
        kind: current.kind,
        desired: { ...editableOf(current), ...desired },
        ...request,
      } as const;
      return [{ stream, events: decidePlain(command, current) }];
    }
    if (!isWorkload(current)) return [];
    const command = { type: 'ChangeWorkload', desired: { ...editableOf(current), ...desired }, ...request } as const;
    return [{ stream, events: decideWorkload(current.kind, command, current) }];
  }
}

/** Nothing is made in a namespace that is going; the workload goes with it. */
function isOpen(state: ClusterState, namespace: string): boolean {
  const home = state.namespace(namespace);
  return home !== undefined && !home.meta.deletion;
}

function create(state: ClusterState, namespace: string, batch: readonly Drawn[]): readonly StreamDecision[] {
  if (!isOpen(state, namespace)) return [];
  return batch
    .filter(({ uid }) => !state.objectByUid(uid))
    .map(({ creation, uid, name, stream }) => {
      const meta = { ...creation.meta, uid };
      const { kind, spec } = creation;
      if (kind === 'Pod') {
        // Refused, it is told by what all tries have alike.
        const admitted = admitPod(spec, { namespace, name: meta.generateName ?? name }, state);
        const command = { type: 'RequestPod', namespace, name, meta, spec: admitted } as const;
        return { stream, events: decidePod(command, podAt(state, stream)) };
      }
      if (kind === 'ControllerRevision') {
        const command = { type: 'RequestPlainObject', kind, name, meta, body: spec } as const;
        const taken = state.get(stream);
        return { stream, events: decidePlain(command, taken && isPlain(taken) ? taken : undefined) };
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

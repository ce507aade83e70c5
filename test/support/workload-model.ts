import {
  ClusterState,
  decidePlain,
  decidePod,
  decideWorkload,
  editableOf,
  isPlain,
  isWorkload,
  type Millis,
  type NewEvent,
  nodeStream,
  type ObjectChange,
  type PodState,
  type Recorded,
  streamOfKind,
  type WorkloadCommand,
  type WorkloadKind,
  type WorkloadPlan,
  type WorkloadRules,
  type WorkloadState,
  type WorkloadStep,
} from '#domain';
import { aMeta, aNodeDescription } from './builders.js';
import { EPOCH, recorded } from './given.js';

const NAMESPACE = 'shop';

/**
 * A cluster without shells: workloads are made true by their rules alone, pods run at the word of the test, and everything is
 * folded by the domain itself. Time moves only when told to.
 */
export class WorkloadModel {
  readonly state = ClusterState.empty();
  now: Millis = EPOCH;
  #drawn = 0;

  /** Records events in a stream; gives what they changed. */
  record(stream: string, events: readonly NewEvent<string, unknown>[]): ObjectChange[] {
    const { revision } = this.state;
    const from = { revision: revision + 1, version: this.state.version(stream) + 1, time: this.now };
    return recorded(stream, events, from).flatMap((event) =>
      this.state.apply({ ...event, time: this.now } as Recorded),
    );
  }

  /** A client's wish about a workload. */
  wish(kind: WorkloadKind, name: string, command: WorkloadCommand): void {
    const stream = streamOfKind(kind, NAMESPACE, name);
    this.record(stream, decideWorkload(kind, command, this.find(kind, name)));
  }

  request(kind: WorkloadKind, name: string, spec: WorkloadState['spec'], replicas?: number): void {
    const meta = aMeta({ uid: this.#uid() });
    const more = replicas === undefined ? {} : { replicas };
    this.wish(kind, name, { type: 'RequestWorkload', namespace: NAMESPACE, name, meta, spec, ...more });
  }

  /** An edit of some fields of a workload's spec, `replicas` among them. */
  edit(kind: WorkloadKind, name: string, spec: object): void {
    const workload = this.find(kind, name);
    if (!workload) throw new Error(`there is no ${kind} ${name}`);
    const editable = editableOf(workload);
    this.wish(kind, name, {
      type: 'ChangeWorkload',
      desired: { ...editable, spec: { ...editable.spec, ...spec } },
      preconditions: {},
      fieldManager: 'test',
      operation: 'Update',
      managedFields: [],
    });
  }

  find(kind: WorkloadKind, name: string): WorkloadState | undefined {
    const object = this.state.get(streamOfKind(kind, NAMESPACE, name));
    return object && isWorkload(object) ? object : undefined;
  }

  deployment(name: string): WorkloadState<'Deployment'> {
    const found = this.find('Deployment', name);
    if (found?.kind !== 'Deployment') throw new Error(`there is no deployment ${name}`);
    return found;
  }

  /** A node joins and is ready. */
  join(name: string, labels: Readonly<Record<string, string>> = {}): ObjectChange[] {
    const description = aNodeDescription({ labels: { 'kubernetes.io/hostname': name, ...labels } });
    const joined = { uid: this.#uid(), nodeEpoch: 1, podCIDR: '10.0.0.0/24', description };
    return this.record(nodeStream(name), [
      { type: 'NodeJoined', data: joined },
      { type: 'NodeBecameReady', data: { reason: 'KubeletReady', message: '' } },
    ]);
  }

  /** One pass of the rules over a workload. */
  reconcile(rules: WorkloadRules, name: string): WorkloadPlan {
    const workload = this.find(rules.kind, name);
    if (!workload) return { steps: [] };
    const { uid, namespace } = workload.meta;
    const mine = this.state.dependentsOf(uid).filter(({ kind }) => kind === rules.child);
    const free = this.state
      .list(rules.child, namespace)
      .filter(({ meta }) => !meta.ownerReferences.some(({ controller }) => controller));
    const children = [...new Set([...mine, ...free])] as readonly (PodState | WorkloadState)[];
    const plan = rules.reconcile(workload, { children, cluster: this.state, now: this.now });
    for (const step of plan.steps) this.#carryOut(step);
    if (plan.status) this.wish(rules.kind, name, { type: 'RecordWorkloadStatus', uid, status: plan.status });
    return plan;
  }

  #carryOut(step: WorkloadStep): void {
    if (step.type === 'Create') {
      this.#create(step);
      return;
    }
    const { object } = step;
    const stream = streamOfKind(object.kind, object.meta.namespace, object.meta.name);
    const current = this.state.get(stream);
    if (current?.kind !== object.kind) return;
    const edit = {
      preconditions: {},
      fieldManager: 'rules',
      operation: 'Update',
      managedFields: [],
    } as const;
    if (current.kind === 'Pod') {
      const command =
        step.type === 'Edit'
          ? ({ type: 'ChangePod', desired: { ...editableOf(current), ...step.desired }, ...edit } as const)
          : ({
              type: 'TerminatePod',
              preconditions: {},
              propagation: step.propagation,
              reason: step.reason,
              nodeReady: true,
            } as const);
      this.record(stream, decidePod(command, current));
      return;
    }
    if (isPlain(current)) {
      const command =
        step.type === 'Edit'
          ? ({
              type: 'ChangePlainObject',
              kind: current.kind,
              desired: { ...editableOf(current), ...step.desired },
              ...edit,
            } as const)
          : ({
              type: 'DeletePlainObject',
              kind: current.kind,
              preconditions: {},
              propagation: step.propagation,
            } as const);
      this.record(stream, decidePlain(command, current));
      return;
    }
    const workload = current as WorkloadState;
    const command: WorkloadCommand =
      step.type === 'Edit'
        ? { type: 'ChangeWorkload', desired: { ...editableOf(workload), ...step.desired }, ...edit }
        : { type: 'DeleteWorkload', preconditions: {}, propagation: step.propagation };
    this.record(stream, decideWorkload(workload.kind, command, workload));
  }

  #create(step: Extract<WorkloadStep, { type: 'Create' }>): void {
    const uid = this.#uid();
    const name = step.name ?? `${step.meta.generateName ?? ''}${this.#drawn}`;
    const meta = { ...step.meta, uid };
    const stream = streamOfKind(step.kind, NAMESPACE, name);
    if (step.kind === 'Pod') {
      const command = { type: 'RequestPod', namespace: NAMESPACE, name, meta, spec: step.spec } as const;
      this.record(stream, decidePod(command, undefined));
      return;
    }
    if (step.kind === 'ControllerRevision') {
      const command = { type: 'RequestPlainObject', kind: step.kind, name, meta, body: step.spec } as const;
      this.record(stream, decidePlain(command, undefined));
      return;
    }
    const { spec, replicas } = step;
    const more = replicas === undefined ? {} : { replicas };
    const command = { type: 'RequestWorkload', namespace: NAMESPACE, name, meta, spec, ...more } as const;
    this.record(stream, decideWorkload(step.kind, command, undefined));
  }

  #uid(): string {
    this.#drawn += 1;
    return `uid-${this.#drawn}`;
  }

  /** Pods that are neither ended nor going. */
  livingPods(): PodState[] {
    return [...this.state.pods()].filter(({ terminated, meta }) => !terminated && !meta.deletion);
  }

  place(pod: PodState, node: string): void {
    if (pod.nodeName !== undefined) return;
    this.#onPod(pod, [{ type: 'PodScheduled', data: { uid: pod.meta.uid, node, by: 'scheduler' } }]);
  }

  ready(pod: PodState): void {
    if (pod.conditions['Ready']?.status !== 'True') this.#onPod(pod, [{ type: 'PodBecameReady', data: {} }]);
  }

  unready(pod: PodState): void {
    if (pod.conditions['Ready']?.status !== 'True') return;
    this.#onPod(pod, [{ type: 'PodBecameUnready', data: { reason: 'ContainersNotReady', message: '' } }]);
  }

  fail(pod: PodState): void {
    this.#onPod(pod, [{ type: 'PodTerminated', data: { phase: 'Failed' } }]);
  }

  /** The node has removed what was left of a pod that was told to go. */
  gone(pod: PodState): ObjectChange[] {
    return this.#onPod(pod, [
      { type: 'PodContainersRemoved', data: { node: pod.nodeName ?? '' } },
      { type: 'PodDeleted', data: { uid: pod.meta.uid, reason: 'Requested' } },
    ]);
  }

  #onPod({ meta }: PodState, events: readonly NewEvent<string, unknown>[]): ObjectChange[] {
    return this.record(streamOfKind('Pod', meta.namespace, meta.name), events);
  }
}

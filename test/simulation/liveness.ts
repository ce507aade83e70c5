import {
  isContainerReady,
  isReady,
  isUp,
  KINDS,
  type ClusterState,
  type PodState,
  type ReplicaSetState,
} from '#domain';
import { unsettledControllers } from './controllers-settled.js';
import type { ExecutorReplica } from './replicas.js';
import { hashOf } from './oracle.js';
import { STEADY_IMAGES } from './programs.js';
import type { World } from './world.js';

/**
 * What must finally be true, once faults have stopped: each line is something that is not. Empty: the cluster has settled.
 */
export function unsettled(world: World): string[] {
  const { state } = world.oracle;
  return [
    ...(world.client.pending > 0 ? [`${world.client.pending} writes are under way`] : []),
    ...controlPlane(world),
    ...deletions(state),
    ...unsettledControllers(state),
    ...[...state.replicaSets()].flatMap((set) => replicas(state, set)),
    ...[...state.pods()].flatMap((pod) => wanting(pod)),
    ...world.executors.flatMap((executor) => node(state, executor)),
    ...world.watchers.flatMap(({ missing }) => missing ?? []),
  ];
}

function controlPlane({ oracle, apis, schedulers, stream }: World): string[] {
  const { revision } = oracle.state;
  const hash = hashOf(oracle.state);
  const feed = stream.inspect();
  const leaders = schedulers.filter(({ epoch }) => epoch !== undefined);
  return [
    ...[...apis, ...schedulers].flatMap(({ name, process, projection }) => {
      if (!process || !projection) return [`${name} does not run`];
      if (projection.revision !== revision) return [`${name} is at revision ${projection.revision} of ${revision}`];
      return hashOf(projection.state) === hash ? [] : [`${name} has another state at revision ${revision}`];
    }),
    ...(leaders.length === 1 ? [] : [`${leaders.length} active schedulers`]),
    ...(feed && feed.base + feed.lastSequence === revision
      ? []
      : [`EVENTS ends at ${feed && feed.base + feed.lastSequence}, the log at ${revision}`]),
  ];
}

function deletions(state: ClusterState): string[] {
  return KINDS.filter(({ kind }) => kind !== 'Event')
    .flatMap(({ kind }) => [...state.all(kind)])
    .filter(({ meta }) => meta.deletion !== undefined)
    .map(({ kind, meta }) => `the deletion of ${kind} ${meta.namespace}/${meta.name} has not ended`);
}

function replicas(state: ClusterState, set: ReplicaSetState): string[] {
  const owned = state
    .dependentsOf(set.meta.uid)
    .filter((object): object is PodState => object.kind === 'Pod' && !object.terminated && !object.meta.deletion)
    .filter(({ meta }) => meta.ownerReferences.some(({ uid, controller }) => controller && uid === set.meta.uid));
  const ready = owned.filter((pod) => pod.conditions['Ready']?.status === 'True').length;
  const name = `replica set ${set.meta.namespace}/${set.meta.name}`;
  return [
    ...(owned.length === set.replicas ? [] : [`${name} has ${owned.length} pods of ${set.replicas}`]),
    ...(set.status.replicas === owned.length && set.status.readyReplicas === ready
      ? []
      : [`${name} says ${set.status.replicas} (${set.status.readyReplicas} ready), not ${owned.length} (${ready})`]),
  ];
}

/** A container that runs and whose program is well is ready in the log, whatever its probes have been through. */
function unreadyWithoutCause(pod: PodState): string[] {
  return pod.spec.containers.flatMap((container) => {
    const state = pod.containers[container.name];
    const isWell = state?.running !== undefined && STEADY_IMAGES.has(container.image);
    return !isWell || isContainerReady(container, state)
      ? []
      : [
          `${pod.meta.namespace}/${pod.meta.name}/${container.name} runs and is well, and the log does not have it ready`,
        ];
  });
}

/** A pod that does not run as wished says why. */
function wanting(pod: PodState): string[] {
  const name = `pod ${pod.meta.namespace}/${pod.meta.name}`;
  if (pod.terminated || pod.meta.deletion) return [];
  const unready = unreadyWithoutCause(pod);
  if (unready.length > 0) return unready;
  if (pod.nodeName === undefined) {
    const isOurs = pod.spec.schedulerName === 'default-scheduler' && (pod.spec.schedulingGates ?? []).length === 0;
    return !isOurs || pod.unschedulable ? [] : [`${name} is not placed and does not say why`];
  }
  if (isReady(pod) || isInHook(pod)) return [];
  const silent = Object.values(pod.containers).filter(({ waiting, terminated, running }) => {
    if (running) return false;
    return terminated === undefined && (waiting === undefined || waiting.reason === 'ContainerCreating');
  });
  const isExplained = silent.length === 0 || Object.values(pod.containers).some(({ waiting }) => hasCause(waiting));
  return isExplained ? [] : [`${name} on ${pod.nodeName} is not ready and does not say why`];
}

/** A postStart hook may take as long as it likes, and those behind it wait for it. */
const isInHook = ({ spec, containers }: PodState): boolean =>
  spec.containers.some((container) => {
    const state = containers[container.name];
    return state?.running !== undefined && !isUp(container, state);
  });

const hasCause = (waiting: { readonly reason: string } | undefined): boolean =>
  waiting !== undefined && waiting.reason !== 'ContainerCreating' && waiting.reason !== 'PodInitializing';

/** An engine holds what the log says, and nothing else. */
function node(state: ClusterState, { node: name, engine, process }: ExecutorReplica): string[] {
  const problems: string[] = [];
  const known = state.node(name);
  if (!process) problems.push(`the executor of ${name} does not run`);
  if (known?.ready.status !== 'True') problems.push(`node ${name} is ${known?.ready.status ?? 'not there'}`);
  const { containers, volumes } = engine.all();
  const pods = new Map<string, PodState>();
  for (const pod of state.podsOnNode(name)) pods.set(pod.meta.uid, pod);
  for (const { seen } of containers) {
    const pod = pods.get(seen.pod.uid);
    const what = `${seen.state} container ${seen.pod.name}/${seen.name || 'sandbox'} (${seen.pod.uid}) on ${name}`;
    if (!pod) problems.push(`${what} belongs to no living pod`);
    else if (pod.terminated && seen.state === 'running') problems.push(`${what} belongs to a pod that has ended`);
    else if (seen.role === 'app' && seen.state === 'running') {
      const logged = pod.containers[seen.name];
      if (logged?.containerId !== seen.id || !logged.running) problems.push(`${what} is not what the log has running`);
    }
  }
  for (const { pod } of volumes) {
    if (!pods.has(pod.uid)) problems.push(`a volume of ${pod.name} (${pod.uid}) on ${name} belongs to no living pod`);
  }
  for (const pod of pods.values()) {
    if (pod.terminated) continue;
    for (const { name: container, running, containerId } of Object.values(pod.containers)) {
      if (!running) continue;
      const real = containers.find(({ seen }) => seen.id === containerId);
      if (real?.seen.state !== 'running')
        problems.push(`the log has ${pod.meta.name}/${container} running on ${name}, its engine has not`);
    }
  }
  return problems;
}

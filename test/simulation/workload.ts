import type { JsonObject, Propagation } from '#domain';
import type { Client } from './client.js';
import type { EventLoop } from './event-loop.js';
import { CONTROLLER_ACTIONS, ControllerWishes, type ControllerAction } from './controller-wishes.js';
import { PodWishes } from './pod-wishes.js';
import type { Random } from './random.js';
import { bind, create, evict, jsonPatch, patch, remove, replace, scale, type Of } from './requests.js';

export interface WorkloadOptions {
  readonly loop: EventLoop;
  readonly random: Random;
  readonly client: Client;
  readonly nodes: readonly string[];
}

const ACTIONS = {
  createPod: 12,
  deletePod: 6,
  evictPod: 1,
  labelPod: 2,
  editImage: 2,
  annotatePod: 5,
  createSet: 4,
  scaleSet: 6,
  annotateSet: 2,
  deleteSet: 2,
  createNamespace: 1,
  deleteNamespace: 1,
  cordon: 1,
  taint: 1,
  untaint: 2,
  bind: 1,
  own: 1,
  gate: 1,
  deleteNode: 0.3,
  listPods: 3,
} as const;
const ALL_ACTIONS = { ...ACTIONS, ...CONTROLLER_ACTIONS };
type Action = keyof typeof ALL_ACTIONS;

/** Names are few, so that they are used again while their last bearer is still going. */
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
/** Sets are fewer: most wishes should meet one. */
const SET_NAMES = ['a', 'b', 'c'];
/** What a world may leave out. */
const SUBJECTS = [/Pod|^(bind|own|gate)/, /Set$/, /Deployment$/, /Job$/, /^(cordon|taint|untaint|deleteNode)/];
/** Wishes that each stand on what another is about to change. */
const COLLISIONS: readonly (readonly Action[])[] = [
  ['createPod', 'deleteNamespace'],
  ['createSet', 'deleteNamespace', 'createNamespace'],
  ['createPod', 'cordon', 'cordon'],
  ['createPod', 'taint'],
  ['createPod', 'deleteNode'],
  ['createPod', 'createPod', 'deletePod'],
  ['scaleSet', 'deleteSet', 'createSet'],
  ['scaleSet', 'scaleSet'],
  ['deletePod', 'annotatePod', 'editImage'],
  ['annotatePod', 'annotatePod', 'annotatePod'],
  ['annotateSet', 'scaleSet'],
  ['bind', 'bind'],
  ['rollDeployment', 'scaleDeployment', 'rollDeployment'],
  ['createDeployment', 'deleteDeployment', 'createDeployment'],
  ['pauseDeployment', 'rollDeployment', 'resumeDeployment'],
  ['createDeployment', 'deleteNamespace'],
  ['createJob', 'suspendJob', 'resumeJob'],
  ['createJob', 'deleteJob', 'createJob'],
];
/** They come within this, in milliseconds: they meet in the log. */
const BURST_MS = 60;

/** What people ask for: drawn from the seed, without knowing what there is, as people are. */
export class Workload {
  private readonly namespaces = ['default', 'default', 'shop'];
  private readonly wishes: PodWishes;
  private readonly controllerWishes: ControllerWishes;

  constructor(private readonly options: WorkloadOptions) {
    this.wishes = new PodWishes(options.random, options.nodes);
    this.controllerWishes = new ControllerWishes(options.random, this.wishes);
  }

  /** So many wishes, alone or in bursts about the same names, spread over that time, in milliseconds. */
  plan(count: number, spanMs: number): void {
    const { loop, random } = this.options;
    if (random.chance(0.6)) loop.schedule(0, 'a wish', () => void this.act('createNamespace', random));
    const isCrowd = random.chance(0.6);
    const actions = this.chosen();
    const collisions = COLLISIONS.filter((some) => some.every((action) => action in actions));
    for (let made = 0; made < count;) {
      const at = random.next() * spanMs;
      const isBurst = isCrowd && collisions.length > 0 && random.chance(0.5);
      const some = isBurst ? random.pick(collisions) : [random.weighted(actions)];
      const about = random.integer(0, 1_000_000);
      for (const action of some) {
        // Wishes that collide draw the same names.
        const names = random.fork(`${about}`);
        loop.schedule(at + random.spread(1, BURST_MS), `wishes ${action}`, () => void this.act(action, names));
      }
      made += some.length;
    }
  }

  /** Nodes take pods again. */
  async openNodes(): Promise<void> {
    for (const name of this.options.nodes)
      await this.options.client.write(patch(nodeNamed(name), { spec: { unschedulable: null, taints: null } }));
  }

  /** A cron job makes jobs no more: what it has made can come to an end. */
  async suspend(namespace: string, name: string): Promise<void> {
    await this.options.client.write(
      patch({ resource: 'batch/cronjobs', namespace, name }, { spec: { suspend: true } }),
    );
  }

  /** Nobody holds objects any more that are to go. */
  async letGo(namespace: string, name: string): Promise<void> {
    const of = { resource: 'core/pods', namespace, name };
    await this.options.client.write(patch(of, { metadata: { finalizers: null } }, 'let go'));
  }

  /** Worlds in which not everything is asked for go deeper into what is. */
  private chosen(): Readonly<Record<Action, number>> {
    const { random } = this.options;
    const left = SUBJECTS.filter(() => random.chance(0.35));
    const isLeft = (action: string): boolean => left.some((subject) => subject.test(action));
    const weights = Object.entries(ALL_ACTIONS).map(([action, weight]) => [action, isLeft(action) ? 0 : weight]);
    return Object.fromEntries(weights) as Record<Action, number>;
  }

  private async act(action: Action, about: Random): Promise<void> {
    const { random, client, nodes } = this.options;
    const { wishes } = this;
    const namespace = about.pick(this.namespaces);
    if (isOfController(action)) {
      return void (await client.write(this.controllerWishes.request(action, namespace, about)));
    }
    const letter = about.pick(/Set$/.test(action) ? SET_NAMES : NAMES);
    const node = about.pick(nodes);
    const pod = { resource: 'core/pods', namespace, name: `pod-${letter}` };
    const set = { resource: 'apps/replicasets', namespace, name: `set-${letter}` };
    const shop = { resource: 'core/namespaces', namespace: '', name: 'shop' };
    switch (action) {
      case 'createPod':
        return void (await client.write(create(pod, wishes.pod(pod.name))));
      case 'deletePod':
        return void (await client.write(remove(pod, 'Background', random.pick([undefined, undefined, 0, 3]))));
      case 'evictPod':
        return void (await client.write(evict(pod)));
      case 'labelPod':
        return void (await client.write(patch(pod, { metadata: { labels: wishes.labels() } })));
      case 'editImage': {
        const value = wishes.image();
        return void (await client.write(jsonPatch(pod, [{ op: 'replace', path: '/spec/containers/0/image', value }])));
      }
      case 'annotatePod':
        return this.annotate(pod);
      case 'annotateSet':
        return this.annotate(set);
      case 'createSet':
        return void (await client.write(create(set, wishes.set(set.name))));
      case 'scaleSet':
        return void (await client.write(scale(set, random.integer(0, 5))));
      case 'deleteSet': {
        const propagation = random.weighted<Propagation>({ Background: 6, Foreground: 3, Orphan: 2 });
        return void (await client.write(remove(set, propagation)));
      }
      case 'createNamespace':
        return void (await client.write(create(shop, { metadata: { name: 'shop' } })));
      case 'deleteNamespace':
        return void (await client.write(remove(shop, 'Background')));
      case 'cordon': {
        const unschedulable = random.chance(0.5) || null;
        return void (await client.write(patch(nodeNamed(node), { spec: { unschedulable } })));
      }
      case 'taint': {
        const taint = { key: 'upkeep', effect: random.pick(['NoSchedule', 'NoExecute']) };
        return void (await client.write(patch(nodeNamed(node), { spec: { taints: [taint] } })));
      }
      case 'untaint':
        return void (await client.write(patch(nodeNamed(node), { spec: { taints: null } })));
      case 'bind':
        return this.bindByHand({ ...pod, name: `bound-${letter}` }, node);
      case 'own':
        return this.own(pod, { ...pod, name: `owned-${letter}` });
      case 'gate':
        return this.gate({ ...pod, name: `gated-${letter}` });
      case 'deleteNode':
        return void (await client.write(remove(nodeNamed(node), 'Background')));
      case 'listPods':
        return client.listExactly();
    }
  }

  /** Reads an object, and writes it back with one more mark on it. */
  private async annotate(of: Of): Promise<void> {
    const { client, random } = this.options;
    const read = await client.read(of);
    if (read) await client.write(replace(of, read, ['example.com/mark', String(random.integer(0, 9_999))]));
  }

  /** A pod that another scheduler places. */
  private async bindByHand(of: Of, node: string): Promise<void> {
    const { client } = this.options;
    const created = await client.write(create(of, this.wishes.pod(of.name, { schedulerName: 'by-hand' })));
    if (created) await client.write(bind(of, node));
  }

  /** A pod that goes with another. */
  private async own(owner: Of, of: Of): Promise<void> {
    const { client } = this.options;
    const read = await client.read(owner);
    if (!read) return;
    const reference: JsonObject = { apiVersion: 'v1', kind: 'Pod', name: owner.name, uid: read.meta.uid };
    await client.write(create(of, this.wishes.pod(of.name, {}, { ownerReferences: [reference] })));
  }

  /** A pod that is held back, and let go later. */
  private async gate(of: Of): Promise<void> {
    const { client } = this.options;
    const gates = { schedulingGates: [{ name: 'example.com/gate' }] };
    const created = await client.write(create(of, { ...this.gated(of.name, gates) }));
    if (created) await client.write(patch(of, { spec: { schedulingGates: null } }));
  }

  /** Gates and a node of one's own choice exclude each other. */
  private gated(name: string, gates: JsonObject): JsonObject {
    const { metadata, spec } = this.wishes.pod(name, gates);
    const { nodeName: _, ...free } = spec as JsonObject;
    return { metadata, spec: free };
  }
}

const isOfController = (action: Action): action is ControllerAction => action in CONTROLLER_ACTIONS;

const nodeNamed = (name: string): Of => ({ resource: 'core/nodes', namespace: '', name });

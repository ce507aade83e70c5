import type { JsonObject, Propagation } from '#domain';
import { Client, definitionOf, jsonBody, WRITE_OPTIONS, type WriteRequest } from './client.js';
import type { EventLoop } from './event-loop.js';
import { IMAGE_WEIGHTS } from './programs.js';
import type { Random } from './random.js';

export interface WorkloadOptions {
  readonly loop: EventLoop;
  readonly random: Random;
  readonly client: Client;
  readonly nodes: readonly string[];
}

const ACTIONS = {
  createPod: 12,
  deletePod: 6,
  labelPod: 2,
  editImage: 2,
  createSet: 4,
  scaleSet: 6,
  deleteSet: 2,
  createNamespace: 0.7,
  deleteNamespace: 0.7,
  cordon: 1,
  taint: 1,
  untaint: 2,
  bind: 1,
} as const;
type Action = keyof typeof ACTIONS;

/** Names are few, so that they are used again while their last bearer is still going. */
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
/** Sets are fewer: most wishes should meet one. */
const SET_NAMES = ['a', 'b', 'c'];

/** What people ask for: drawn from the seed, without knowing what there is, as people are. */
export class Workload {
  private readonly namespaces = ['default', 'default', 'default', 'shop'];

  constructor(private readonly options: WorkloadOptions) {}

  /** So many wishes, spread over that time, in milliseconds. */
  plan(wishes: number, spanMs: number): void {
    const { loop, random } = this.options;
    if (random.chance(0.6)) loop.schedule(0, 'a wish', () => void this.act('createNamespace'));
    for (let index = 0; index < wishes; index += 1) {
      loop.schedule(random.next() * spanMs, 'a wish', () => void this.act(random.weighted<Action>(ACTIONS)));
    }
  }

  /** Nodes take pods again. */
  async openNodes(): Promise<void> {
    for (const node of this.options.nodes) {
      await this.options.client.write(patchOf('core/nodes', '', node, { spec: { unschedulable: null, taints: null } }));
    }
  }

  private async act(action: Action): Promise<void> {
    const { random, client, nodes } = this.options;
    const namespace = random.pick(this.namespaces);
    const name = random.pick(/Set$/.test(action) ? SET_NAMES : NAMES);
    const node = random.pick(nodes);
    switch (action) {
      case 'createPod':
        await client.write(createOf('core/pods', namespace, `pod-${name}`, this.pod(`pod-${name}`)));
        return;
      case 'deletePod':
        await client.write(this.deleteOf('core/pods', namespace, `pod-${name}`));
        return;
      case 'labelPod': {
        const labels = { app: random.pick(['web', 'api']), tier: random.pick(['a', 'b']) };
        await client.write(patchOf('core/pods', namespace, `pod-${name}`, { metadata: { labels } }));
        return;
      }
      case 'editImage': {
        const patch = [{ op: 'replace', path: '/spec/containers/0/image', value: this.image() }];
        await client.write(jsonPatchOf('core/pods', namespace, `pod-${name}`, patch));
        return;
      }
      case 'createSet':
        await client.write(createOf('apps/replicasets', namespace, `set-${name}`, this.set(`set-${name}`)));
        return;
      case 'scaleSet':
        await client.write(scaleOf(namespace, `set-${name}`, random.integer(0, 5)));
        return;
      case 'deleteSet':
        await client.write(this.deleteOf('apps/replicasets', namespace, `set-${name}`));
        return;
      case 'createNamespace':
        await client.write(createOf('core/namespaces', '', 'shop', { metadata: { name: 'shop' } }));
        return;
      case 'deleteNamespace':
        await client.write(this.deleteOf('core/namespaces', '', 'shop'));
        return;
      case 'cordon':
        await client.write(patchOf('core/nodes', '', node, { spec: { unschedulable: random.chance(0.5) || null } }));
        return;
      case 'taint': {
        const taint = { key: 'upkeep', effect: random.pick(['NoSchedule', 'NoExecute']) };
        await client.write(patchOf('core/nodes', '', node, { spec: { taints: [taint] } }));
        return;
      }
      case 'untaint':
        await client.write(patchOf('core/nodes', '', node, { spec: { taints: null } }));
        return;
      case 'bind': {
        const pod = `bound-${name}`;
        const body = this.pod(pod, { schedulerName: 'by-hand' });
        const created = await client.write(createOf('core/pods', namespace, pod, body));
        if (created) await client.write(bindingOf(namespace, pod, node));
        return;
      }
    }
  }

  private image(): string {
    return this.options.random.weighted(IMAGE_WEIGHTS);
  }

  private pod(name: string, more: JsonObject = {}): JsonObject {
    const { random, nodes } = this.options;
    const fate = random.chance(0.2) ? { annotations: { 'podledger.dev/fate': 'independent' } } : {};
    const direct = random.chance(0.05) ? { nodeName: random.pick(nodes) } : {};
    return {
      metadata: { name, labels: { app: random.pick(['web', 'api', 'lone']), tier: random.pick(['a', 'b']) }, ...fate },
      spec: { ...this.podSpec(random.pick(['Always', 'OnFailure', 'Never'])), ...direct, ...more },
    };
  }

  private podSpec(restartPolicy: string): JsonObject {
    const { random } = this.options;
    const count = random.weighted({ one: 5, two: 4, three: 1 });
    const names = ['app', 'helper', 'sidecar'].slice(0, { one: 1, two: 2, three: 3 }[count]);
    const hasVolume = random.chance(0.4);
    const hostPort = random.chance(0.08)
      ? { ports: [{ containerPort: 80, hostPort: random.integer(8080, 8082) }] }
      : {};
    const containers = names.map((name, index) => ({
      name,
      image: this.image(),
      imagePullPolicy: 'IfNotPresent',
      ...(random.chance(0.7) && { resources: { requests: { cpu: `${random.integer(1, 8)}00m`, memory: '64Mi' } } }),
      ...(hasVolume && { volumeMounts: [{ name: 'data', mountPath: '/data' }] }),
      ...(index === 0 && hostPort),
    }));
    return {
      containers,
      restartPolicy,
      terminationGracePeriodSeconds: random.pick([0, 1, 2, 5, 30]),
      ...(hasVolume && { volumes: [{ name: 'data', emptyDir: {} }] }),
    };
  }

  private set(name: string): JsonObject {
    const { random } = this.options;
    // Sets that adopt what others made, and sets that select nothing but their own.
    const labels = random.chance(0.3) ? { app: 'web' } : { set: name };
    return {
      metadata: { name },
      spec: {
        replicas: random.integer(0, 4),
        selector: { matchLabels: labels },
        template: { metadata: { labels: { ...labels, tier: random.pick(['a', 'b']) } }, spec: this.podSpec('Always') },
      },
    };
  }

  private deleteOf(resource: string, namespace: string, name: string): WriteRequest {
    const { random } = this.options;
    const grace = random.pick([undefined, undefined, 0, 3]);
    const propagation: Propagation = random.weighted({ Background: 6, Foreground: 2, Orphan: 1 });
    const request = {
      preconditions: {},
      ...(grace !== undefined && { gracePeriodSeconds: grace }),
      propagation: resource === 'apps/replicasets' ? propagation : ('Background' as const),
      reason: 'Requested' as const,
    };
    const run: WriteRequest['run'] = (core, target, context) =>
      core.writer.remove(target, { dryRun: false, request }, context);
    return { what: 'delete', resource, namespace, name, run };
  }
}

function createOf(resource: string, namespace: string, name: string, object: JsonObject): WriteRequest {
  const run: WriteRequest['run'] = (core, { definition }, context) => {
    const apiVersion = definition.group ? `${definition.group}/${definition.version}` : definition.version;
    const body = jsonBody({ apiVersion, kind: definition.kind, ...object });
    return core.writer.create(definition, namespace, body, WRITE_OPTIONS, context);
  };
  return { what: 'create', resource, namespace, name, run };
}

function patchOf(resource: string, namespace: string, name: string, patch: JsonObject): WriteRequest {
  const body = jsonBody(patch, 'application/merge-patch+json');
  const run: WriteRequest['run'] = (core, target, context) => core.writer.patch(target, body, WRITE_OPTIONS, context);
  return { what: 'patch', resource, namespace, name, run };
}

function jsonPatchOf(resource: string, namespace: string, name: string, patch: readonly JsonObject[]): WriteRequest {
  const bytes = new TextEncoder().encode(JSON.stringify(patch));
  const body = { bytes, contentType: 'application/json-patch+json' };
  const run: WriteRequest['run'] = (core, target, context) => core.writer.patch(target, body, WRITE_OPTIONS, context);
  return { what: 'edit', resource, namespace, name, run };
}

function scaleOf(namespace: string, name: string, replicas: number): WriteRequest {
  const body = jsonBody({ spec: { replicas } }, 'application/merge-patch+json');
  const run: WriteRequest['run'] = (core, target, context) => {
    const subresource = core.registry.subresource(target.definition, 'scale');
    return core.writer.patch({ ...target, ...(subresource && { subresource }) }, body, WRITE_OPTIONS, context);
  };
  return { what: 'scale', resource: 'apps/replicasets', namespace, name, run };
}

function bindingOf(namespace: string, name: string, node: string): WriteRequest {
  const target = { apiVersion: 'v1', kind: 'Node', name: node };
  const body = jsonBody({ apiVersion: 'v1', kind: 'Binding', metadata: { name }, target });
  const run: WriteRequest['run'] = (core, pod, context) => {
    const subresource = core.registry.subresource(definitionOf(core, 'core/pods'), 'binding');
    return core.writer.act({ ...pod, ...(subresource && { subresource }) }, body, WRITE_OPTIONS, context);
  };
  return { what: 'bind', resource: 'core/pods', namespace, name, run };
}

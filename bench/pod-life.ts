import { randomUUID } from 'node:crypto';
import { type ClusterState, decidePod, namespaceStream, type PodCommand, type PodFact, podStream } from '#domain';
import type { CommandBus } from '#eventlog';
import { aContainer, aMeta, aPodSpec } from '../test/support/builders.js';
import { NAMESPACE } from './bench-log.js';

const NODE = 'node-1';

/**
 * Lives through a pod of two containers, command by command, as API, scheduler and executor give them: requested, placed, its
 * sandbox and containers started, ready, told to go, exited, gone. Each command is given when the one before it has been
 * answered, which is when this replica shows it.
 */
export async function livePod(commands: CommandBus, name: string): Promise<void> {
  const uid = randomUUID();
  const stream = podStream(NAMESPACE, name);
  for (const command of commandsOf(name, uid)) {
    const id = randomUUID();
    await commands.execute({
      commandId: id,
      context: { actor: { kind: 'user', name: 'bench' }, requestId: id, correlationId: uid },
      decide: (state) => [{ stream, events: decidePod(command, podOf(state, stream)) }],
      ...(command.type === 'RequestPod' && { guards: () => [namespaceStream(NAMESPACE)] }),
    });
  }
}

function podOf(state: ClusterState, stream: string) {
  const object = state.get(stream);
  return object?.kind === 'Pod' ? object : undefined;
}

function commandsOf(name: string, uid: string): PodCommand[] {
  const report = (fact: PodFact): PodCommand => ({ type: 'ReportFact', uid, node: NODE, fact });
  const containers = ['app', 'helper'].map((container) => ({ container, containerId: randomUUID(), attempt: 0 }));
  const at = Date.now();
  return [
    requested(name, uid),
    { type: 'SchedulePod', uid, node: NODE, by: 'scheduler', record: placed(at) },
    report({
      id: 'sandbox',
      type: 'PodSandboxStarted',
      data: { attempt: 0, sandboxId: randomUUID(), ip: '10.1.0.2', hostIP: '192.0.2.1' },
    }),
    ...containers.map((one) => report({ id: `${one.containerId}/created`, type: 'ContainerCreated', data: one })),
    ...containers.map((one) =>
      report({
        id: `${one.containerId}/started`,
        type: 'ContainerStarted',
        data: { ...one, imageId: `sha256:${'0'.repeat(64)}`, startedAt: at },
      }),
    ),
    { type: 'TerminatePod', preconditions: { uid }, propagation: 'Background', reason: 'Requested', nodeReady: true },
    ...containers.map((one) =>
      report({
        id: `${one.containerId}/exited`,
        type: 'ContainerExited',
        data: { ...one, exitCode: 143, signal: 15, reason: 'Error', startedAt: at, finishedAt: at },
      }),
    ),
    report({ id: 'removed', type: 'PodContainersRemoved', data: { node: NODE } }),
  ];
}

/** What a client asks for: two containers with their resources. */
export function requested(name: string, uid: string, cpu = '100m'): PodCommand {
  const resources = { requests: { cpu, memory: '64Mi' }, limits: { memory: '128Mi' } };
  const labels = { app: name, 'app.kubernetes.io/part-of': 'bench' };
  return {
    type: 'RequestPod',
    namespace: NAMESPACE,
    name,
    meta: aMeta({ uid, labels }),
    spec: aPodSpec({
      containers: [
        aContainer('app', { command: ['httpd', '-f', '-p', '8080'], resources }),
        aContainer('helper', { command: ['sh', '-c', 'while sleep 10; do wget -qO- localhost:8080; done'], resources }),
      ],
    }),
  };
}

const placed = (now: number) => ({
  asOf: 1,
  policy: 'spread-by-free-capacity',
  policyHash: '0123456789abcdef',
  queuePosition: 0,
  batch: 1,
  now,
  nodesConsidered: 1,
  node: NODE,
  score: 97,
  refused: {},
  named: [],
});

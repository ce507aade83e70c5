import { NO_CONFIG } from '#domain';
import { aContainer, aPodSpec } from '../../../test/support/builders.js';
import { anAssignedPod } from '../../../test/support/model-engine.js';
import { containerSpecOf, sandboxSpecOf } from './container-spec.js';

const node = { name: 'n1', hostIP: '192.0.2.1', allocatable: { cpuMillis: 4000, memoryBytes: 2 ** 32, pods: 110 } };
const creation = { type: 'CreateContainer', container: 'app', attempt: 2, specHash: 'h-2', sandboxId: 's' } as const;

describe('what the runtime is asked for', () => {
  it('is a sandbox with the host ports of all containers and the volumes of the pod', () => {
    const spec = aPodSpec({
      containers: [
        aContainer('app', {
          ports: [{ containerPort: 80, hostPort: 8080, hostIP: '127.0.0.1' }, { containerPort: 81 }],
        }),
        aContainer('helper', { ports: [{ containerPort: 53, hostPort: 5353, protocol: 'UDP' }] }),
      ],
      volumes: [
        { name: 'disk', emptyDir: {} },
        { name: 'fast', emptyDir: { medium: 'Memory', sizeLimit: '4Mi' } },
      ],
    });
    const action = { type: 'CreateSandbox', attempt: 1, specHash: 's' } as const;
    expect(sandboxSpecOf(anAssignedPod({ spec }), action)).toMatchObject({
      hostname: 'web',
      ports: [
        { containerPort: 80, protocol: 'TCP', hostPort: 8080, hostIP: '127.0.0.1' },
        { containerPort: 53, protocol: 'UDP', hostPort: 5353 },
      ],
      volumes: [
        { name: 'disk', medium: 'disk' },
        { name: 'fast', medium: 'memory', sizeLimitBytes: 4 * 2 ** 20 },
      ],
    });
  });

  it('cuts a long name to a host name that Linux takes', () => {
    const key = { uid: 'u', namespace: 'shop', name: `${'a'.repeat(62)}-${'b'.repeat(20)}` };
    const action = { type: 'CreateSandbox', attempt: 0, specHash: 's' } as const;
    expect(sandboxSpecOf(anAssignedPod({ key }), action).hostname).toBe('a'.repeat(62));
  });

  it('is a container with its resources in numbers and its environment filled in', () => {
    const container = aContainer('app', {
      args: ['$(IP)'],
      env: [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
      resources: { limits: { cpu: '500m', memory: '64Mi' } },
      volumeMounts: [{ name: 'disk', mountPath: '/data' }],
    });
    expect(
      containerSpecOf(anAssignedPod({ containers: [container] }), container, creation, {
        node,
        config: NO_CONFIG,
        podIP: '10.0.0.2',
      }),
    ).toMatchObject({
      ...{ name: 'app', attempt: 2, specHash: 'h-2', sandboxId: 's', image: 'busybox:1' },
      env: [{ name: 'IP', value: '10.0.0.2' }],
      args: ['10.0.0.2'],
      mounts: [{ volume: 'disk', mountPath: '/data', readOnly: false }],
      // Without a request the limit is the request, as in Kubernetes.
      ...{ cpuRequestMillis: 500, cpuLimitMillis: 500, memoryLimitBytes: 64 * 2 ** 20 },
    });
  });
});

import type { JsonObject } from '#domain';
import { defaulted } from './defaults.js';

const pod = (spec: JsonObject): JsonObject => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec });
const spec = (given: JsonObject): JsonObject => defaulted(pod(given))['spec'] as JsonObject;
const container = (given: JsonObject): JsonObject | undefined =>
  (spec({ containers: [given] })['containers'] as readonly JsonObject[])[0];

describe('the defaults of a pod', () => {
  it('are those that Kubernetes’ users see, and 30 seconds on a lost node', () => {
    const lost = (key: string): JsonObject => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 });
    expect(defaulted(pod({ containers: [{ name: 'a', image: 'i', ports: [{ containerPort: 80 }] }] }))).toEqual(
      pod({
        containers: [
          {
            name: 'a',
            image: 'i',
            imagePullPolicy: 'Always',
            ports: [{ containerPort: 80, protocol: 'TCP' }],
            resources: {},
            terminationMessagePath: '/dev/termination-log',
            terminationMessagePolicy: 'File',
          },
        ],
        dnsPolicy: 'ClusterFirst',
        enableServiceLinks: true,
        restartPolicy: 'Always',
        schedulerName: 'default-scheduler',
        securityContext: {},
        serviceAccount: 'default',
        serviceAccountName: 'default',
        terminationGracePeriodSeconds: 30,
        tolerations: [lost('node.kubernetes.io/not-ready'), lost('node.kubernetes.io/unreachable')],
      }),
    );
  });

  it.each([
    ['busybox', 'Always'],
    ['busybox:latest', 'Always'],
    ['busybox:1.35', 'IfNotPresent'],
    ['registry:5000/busybox', 'Always'],
    ['registry:5000/busybox:1', 'IfNotPresent'],
    ['busybox@sha256:0123', 'IfNotPresent'],
    ['busybox:latest@sha256:0123', 'IfNotPresent'],
  ])('pull %s: %s', (image, policy) => {
    expect(container({ name: 'a', image })?.['imagePullPolicy']).toBe(policy);
  });

  it('request what is limited and not requested', () => {
    expect(
      container({ resources: { limits: { cpu: '1', memory: '64Mi' }, requests: { cpu: '500m' } } })?.['resources'],
    ).toEqual({
      limits: { cpu: '1', memory: '64Mi' },
      requests: { cpu: '500m', memory: '64Mi' },
    });
  });

  it('leave what is given: also false, zero and the empty text', () => {
    const given = { enableServiceLinks: false, terminationGracePeriodSeconds: 0, schedulerName: '', priority: 7 };
    expect(spec(given)).toMatchObject(given);
    expect(container({ imagePullPolicy: 'Never', image: 'a' })?.['imagePullPolicy']).toBe('Never');
  });

  it.each([
    ['by key', [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists' }], 2],
    ['by effect and all keys', [{ operator: 'Exists' }], 1],
    ['by another effect only', [{ operator: 'Exists', effect: 'NoSchedule' }], 3],
  ])('add no toleration where there is one %s', (_, tolerations, count) => {
    expect(spec({ tolerations })['tolerations']).toHaveLength(count);
  });

  it('know both names of the service account', () => {
    expect(spec({ serviceAccount: 'bot' })).toMatchObject({ serviceAccountName: 'bot', serviceAccount: 'bot' });
    expect(spec({ serviceAccountName: 'bot' })).toMatchObject({ serviceAccountName: 'bot', serviceAccount: 'bot' });
  });

  it('reach probes, environment and volumes', () => {
    expect(
      spec({
        containers: [
          {
            livenessProbe: { httpGet: { port: 80 }, periodSeconds: 3 },
            env: [
              { name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
            ],
          },
        ],
        volumes: [
          { name: 'none' },
          { name: 'c', configMap: { name: 'c' } },
          { name: 's', secret: { defaultMode: 256 } },
        ],
      }),
    ).toMatchObject({
      containers: [
        {
          livenessProbe: {
            httpGet: { port: 80, path: '/', scheme: 'HTTP' },
            timeoutSeconds: 1,
            periodSeconds: 3,
            successThreshold: 1,
            failureThreshold: 3,
          },
          env: [
            { valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
            { valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '0' } } },
          ],
        },
      ],
      volumes: [
        { name: 'none', emptyDir: {} },
        { name: 'c', configMap: { name: 'c', defaultMode: 420 } },
        { name: 's', secret: { defaultMode: 256 } },
      ],
    });
  });

  it('reach the handlers of probes and hooks, and take a zero for nothing', () => {
    const container = {
      readinessProbe: { grpc: { port: 9000 }, periodSeconds: 0, timeoutSeconds: 0, initialDelaySeconds: 0 },
      lifecycle: { postStart: { httpGet: { port: 'web' } }, preStop: { exec: { command: ['true'] } } },
    };
    expect(spec({ containers: [container] })).toMatchObject({
      containers: [
        {
          readinessProbe: {
            grpc: { port: 9000, service: '' },
            periodSeconds: 10,
            timeoutSeconds: 1,
            initialDelaySeconds: 0,
          },
          lifecycle: {
            postStart: { httpGet: { port: 'web', path: '/', scheme: 'HTTP' } },
            preStop: { exec: { command: ['true'] } },
          },
        },
      ],
    });
  });

  it('change nothing a second time', () => {
    const once = defaulted(
      pod({ containers: [{ name: 'a', image: 'i', resources: { limits: { cpu: '1' } } }], volumes: [{ name: 'v' }] }),
    );
    expect(defaulted(once)).toEqual(once);
  });
});

describe('the defaults of other kinds', () => {
  it('reach the template of a replica set, without what pods get when they are made', () => {
    const set = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      spec: { template: { spec: { containers: [{ name: 'a', image: 'i:1' }] } } },
    };
    const { replicas, template } = defaulted(set)['spec'] as JsonObject;
    expect(replicas).toBe(1);
    expect(template).toMatchObject({
      spec: { restartPolicy: 'Always', containers: [{ imagePullPolicy: 'IfNotPresent' }] },
    });
    expect(JSON.stringify(template)).not.toContain('tolerations');
  });

  it('keep a replica set of none', () => {
    expect(defaulted({ apiVersion: 'apps/v1', kind: 'ReplicaSet', spec: { replicas: 0 } })['spec']).toEqual({
      replicas: 0,
    });
  });

  it('label a namespace with its name', () => {
    expect(
      defaulted({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { a: 'b' } } }),
    ).toMatchObject({
      metadata: { labels: { a: 'b', 'kubernetes.io/metadata.name': 'shop' } },
      spec: { finalizers: ['kubernetes'] },
    });
  });

  it('leave kinds without defaults alone', () => {
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } };
    expect(defaulted(node)).toBe(node);
  });
});

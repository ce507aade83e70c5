import type { JsonObject } from '#domain';
import { IMAGE_WEIGHTS } from './programs.js';
import type { Random } from './random.js';

/** Held by somebody else: the object stays until this is taken off. */
export const FINALIZER = 'example.com/hold';

/** Draws objects as people write them. */
export class PodWishes {
  constructor(
    private readonly random: Random,
    private readonly nodes: readonly string[],
  ) {}

  image(): string {
    return this.random.weighted(IMAGE_WEIGHTS);
  }

  labels(): Record<string, string> {
    const { random } = this;
    return { app: random.pick(['web', 'api', 'lone']), tier: random.pick(['a', 'b']) };
  }

  pod(name: string, spec: JsonObject = {}, metadata: JsonObject = {}): JsonObject {
    const { random, nodes } = this;
    const fate = random.chance(0.2) ? { annotations: { 'podledger.dev/fate': 'independent' } } : {};
    const held = random.chance(0.06) ? { finalizers: [FINALIZER] } : {};
    const direct = random.chance(0.05) ? { nodeName: random.pick(nodes) } : {};
    const policy = random.pick(['Always', 'OnFailure', 'Never']);
    return {
      metadata: { name, labels: this.labels(), ...fate, ...held, ...metadata },
      spec: { ...this.podSpec(policy), ...direct, ...spec },
    };
  }

  set(name: string): JsonObject {
    const { random } = this;
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

  /** `imageOf` says what a container runs, the first being 0; default: anything. */
  podSpec(restartPolicy: string, imageOf = (_index: number) => this.image()): JsonObject {
    const { random } = this;
    const count = random.weighted({ one: 5, two: 4, three: 1 });
    const names = ['app', 'helper', 'sidecar'].slice(0, { one: 1, two: 2, three: 3 }[count]);
    const hasVolume = random.chance(0.4);
    const hostPort = random.chance(0.08)
      ? { ports: [{ containerPort: 80, hostPort: random.integer(8080, 8082) }] }
      : {};
    const containers = names.map((name, index) => ({
      name,
      image: imageOf(index),
      imagePullPolicy: 'IfNotPresent',
      ...(random.chance(0.7) && { resources: { requests: { cpu: `${random.integer(1, 8)}00m`, memory: '64Mi' } } }),
      ...(hasVolume && { volumeMounts: [{ name: 'data', mountPath: '/data' }] }),
      ...(index === 0 && hostPort),
      ...(random.chance(0.25) && this.care()),
    }));
    return {
      containers,
      restartPolicy,
      terminationGracePeriodSeconds: random.pick([0, 1, 2, 5, 30]),
      ...(hasVolume && { volumes: [{ name: 'data', emptyDir: {} }] }),
      ...(random.chance(0.1) && { tolerations: [{ key: 'upkeep', operator: 'Exists', ...this.tolerationSeconds() }] }),
    };
  }

  /** Probes and hooks of a container, of all kinds and none too patient. */
  private care(): JsonObject {
    const { random } = this;
    const command = { exec: { command: ['look'] } };
    const handler = (): JsonObject => random.pick([command, { httpGet: { port: 80 } }, { tcpSocket: { port: 80 } }]);
    const probe = (): JsonObject => ({ ...handler(), periodSeconds: random.integer(1, 5) });
    const hook = (): JsonObject => random.pick([command, { httpGet: { port: 80 } }, { sleep: { seconds: 0 } }]);
    const patience = { failureThreshold: random.integer(1, 10) };
    return {
      ...(random.chance(0.4) && { startupProbe: { ...probe(), ...patience } }),
      ...(random.chance(0.6) && { readinessProbe: probe() }),
      ...(random.chance(0.4) && { livenessProbe: probe() }),
      ...(random.chance(0.3) && { lifecycle: { [random.pick(['postStart', 'preStop'])]: hook() } }),
    };
  }

  private tolerationSeconds(): JsonObject {
    return this.random.chance(0.5) ? { effect: 'NoExecute', tolerationSeconds: this.random.integer(1, 20) } : {};
  }
}

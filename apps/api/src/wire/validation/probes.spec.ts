import type { JsonObject } from '#domain';
import { decodeObject } from '../decode/decode-strict.js';
import { defaulted } from '../defaults/defaults.js';
import { faultsOf } from './validate.js';

const gvk = { group: '', version: 'v1', kind: 'Pod' };
const app = { name: 'app', image: 'busybox:1.35' };
const exec = { exec: { command: ['true'] } };

/** What is wrong with a pod whose only container has so much more. */
const faults = (more: JsonObject, spec: JsonObject = {}): string[] => {
  const sent = { metadata: { name: 'p', namespace: 'd' }, spec: { containers: [{ ...app, ...more }], ...spec } };
  return faultsOf(defaulted(decodeObject(gvk, sent).object)).map(({ field, message }) => `${field}: ${message}`);
};
const inProbe = (probe: JsonObject): string[] =>
  faults({ livenessProbe: probe }).map((text) => text.replace('spec.containers[0].livenessProbe', '~'));
const inHook = (preStop: JsonObject): string[] =>
  faults({ lifecycle: { preStop } }).map((text) => text.replace('spec.containers[0].lifecycle.preStop', '~'));

describe('probes', () => {
  it('of every kind are taken, with all that they may say', () => {
    const headers = [{ name: 'X-Probe', value: 'a b' }];
    expect(
      faults({
        ports: [{ name: 'web', containerPort: 8080 }],
        startupProbe: { grpc: { port: 9000, service: 'db' }, failureThreshold: 30, terminationGracePeriodSeconds: 5 },
        readinessProbe: {
          httpGet: { port: 'web', path: '/ready', scheme: 'HTTPS', host: 'h', httpHeaders: headers },
          successThreshold: 3,
        },
        livenessProbe: { tcpSocket: { port: 'web', host: '10.0.0.1' }, initialDelaySeconds: 0 },
      }),
    ).toEqual([]);
  });

  it.each<[string, JsonObject, string[]]>([
    ['without a handler', { periodSeconds: 1 }, ['~: Required value: must specify a handler type']],
    [
      'with two handlers',
      { ...exec, tcpSocket: { port: 80 } },
      ['~.tcpSocket: Forbidden: may not specify more than 1 handler type'],
    ],
    ['without a command', { exec: {} }, ['~.exec.command: Required value']],
    [
      'with a port out of range',
      { httpGet: { port: 70_000 } },
      ['~.httpGet.port: Invalid value: 70000: must be between 1 and 65535, inclusive'],
    ],
    [
      'with a name that no port can have',
      { tcpSocket: { port: 'Web_Port' } },
      [
        '~.tcpSocket.port: Invalid value: "Web_Port": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      ],
    ],
    [
      'without a port',
      { grpc: { port: 0 } },
      ['~.grpc.port: Invalid value: 0: must be between 1 and 65535, inclusive'],
    ],
    [
      'with an unknown scheme',
      { httpGet: { port: 80, scheme: 'FTP' } },
      ['~.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"'],
    ],
    [
      'with a header of no name',
      { httpGet: { port: 80, httpHeaders: [{ name: 'X Y', value: '' }] } },
      [
        `~.httpGet.httpHeaders[0].name: Invalid value: "X Y": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')`,
      ],
    ],
    [
      'with negative timings',
      { ...exec, initialDelaySeconds: -1, timeoutSeconds: -1, periodSeconds: -1, failureThreshold: -1 },
      ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'failureThreshold'].map(
        (field) => `~.${field}: Invalid value: -1: must be greater than or equal to 0`,
      ),
    ],
    [
      'that kill only after several successes',
      { ...exec, successThreshold: 2 },
      ['~.successThreshold: Invalid value: 2: must be 1'],
    ],
    [
      'that leave no grace',
      { ...exec, terminationGracePeriodSeconds: 0 },
      ['~.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0'],
    ],
  ])('%s are refused', (_, probe, expected) => {
    expect(inProbe(probe)).toEqual(expected);
  });

  it('have rules of their kind', () => {
    const probe = { ...exec, successThreshold: 2, terminationGracePeriodSeconds: 3 };
    expect(faults({ readinessProbe: probe })).toEqual([
      'spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 3: must not be set for readinessProbes',
    ]);
    expect(faults({ startupProbe: probe })).toEqual([
      'spec.containers[0].startupProbe.successThreshold: Invalid value: 2: must be 1',
    ]);
  });

  it('of sidecars are looked at too', () => {
    const sidecar = { ...app, name: 'side', restartPolicy: 'Always', startupProbe: {} };
    expect(faults({}, { initContainers: [sidecar] })).toEqual([
      'spec.initContainers[0].startupProbe: Required value: must specify a handler type',
    ]);
  });
});

describe('lifecycle hooks', () => {
  it('of every kind are taken, and a signal', () => {
    const lifecycle = { postStart: exec, preStop: { httpGet: { port: 80 } }, stopSignal: 'SIGRTMIN+3' };
    expect(faults({ lifecycle })).toEqual([]);
    expect(inHook({ sleep: { seconds: 30 } })).toEqual([]);
    expect(inHook({ sleep: { seconds: 0 } })).toEqual([]);
  });

  it.each<[string, JsonObject, string]>([
    ['without a handler', {}, '~: Required value: must specify a handler type'],
    [
      'with two handlers',
      { ...exec, sleep: { seconds: 1 } },
      '~.sleep: Forbidden: may not specify more than 1 handler type',
    ],
    ['that only connect', { tcpSocket: { port: 80 } }, '~.tcpSocket: Forbidden: a TCP socket is no lifecycle hook'],
    [
      'that sleep longer than the grace period',
      { sleep: { seconds: 31 } },
      '~.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)',
    ],
  ])('%s are refused', (_, hook, expected) => {
    expect(inHook(hook)).toEqual([expected]);
  });

  it('know the signals there are', () => {
    expect(faults({ lifecycle: { stopSignal: 'SIGNAL' } })[0]).toMatch(
      /^spec\.containers\[0\]\.lifecycle\.stopSignal: Unsupported value: "SIGNAL": supported values: "SIGABRT"/,
    );
  });
});

describe('readiness gates', () => {
  it('name conditions', () => {
    expect(faults({}, { readinessGates: [{ conditionType: 'example.org/lb-ready' }] })).toEqual([]);
    expect(faults({}, { readinessGates: [{ conditionType: '' }] })).toEqual([
      'spec.readinessGates[0].conditionType: Required value',
    ]);
    expect(faults({}, { readinessGates: [{ conditionType: 'a b' }] })[0]).toMatch(
      /^spec\.readinessGates\[0\]\.conditionType: Invalid value: "a b": name part/,
    );
  });
});

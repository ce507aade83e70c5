import type { FieldFault } from '#domain';
import type { Wire } from '../schema/wire-type.js';
import type { Container, PodSpec } from '../wire-objects.js';
import { forbidden, invalid, invalidFor, notNegative, oneOf, portInRange, required } from './faults.js';
import { httpHeaderNameProblems, labelKeyProblems, portNameProblems } from './names.js';

type Probe = Wire<'core.v1.Probe'>;
type LifecycleHandler = Wire<'core.v1.LifecycleHandler'>;

const schemes = ['HTTP', 'HTTPS'];

/** Linux's signals by the names that Docker and Kubernetes know. */
const signals = [
  ...['ABRT', 'ALRM', 'BUS', 'CHLD', 'CLD', 'CONT', 'FPE', 'HUP', 'ILL', 'INT', 'IO', 'IOT', 'KILL', 'PIPE', 'POLL'],
  ...['PROF', 'PWR', 'QUIT', 'SEGV', 'STKFLT', 'STOP', 'SYS', 'TERM', 'TRAP', 'TSTP', 'TTIN', 'TTOU', 'URG', 'USR1'],
  ...['USR2', 'VTALRM', 'WINCH', 'XCPU', 'XFSZ', 'RTMIN', 'RTMAX'],
  ...Array.from({ length: 15 }, (_, index) => `RTMIN+${index + 1}`),
  ...Array.from({ length: 14 }, (_, index) => `RTMAX-${index + 1}`),
].map((name) => `SIG${name}`);

/** What is wrong with the probes, hooks and readiness gates of a pod. */
export function healthFaults(spec: PodSpec, path: string): FieldFault[] {
  const grace = spec.terminationGracePeriodSeconds ?? 0;
  const lists = (['initContainers', 'containers'] as const).flatMap((list) =>
    (spec[list] ?? []).map((container, index) => ({ container, at: `${path}.${list}[${index}]` })),
  );
  return [
    ...lists.flatMap(({ container, at }) => containerHealthFaults(container, grace, at)),
    ...(spec.readinessGates ?? []).flatMap(({ conditionType }, index) => {
      const at = `${path}.readinessGates[${index}].conditionType`;
      return conditionType ? invalidFor(at, conditionType, labelKeyProblems(conditionType)) : [required(at)];
    }),
  ];
}

function containerHealthFaults(container: Container, graceSeconds: number, path: string): FieldFault[] {
  const { startupProbe, readinessProbe, livenessProbe, lifecycle } = container;
  const { postStart, preStop, stopSignal } = lifecycle ?? {};
  return [
    ...(livenessProbe ? probeFaults(livenessProbe, `${path}.livenessProbe`) : []),
    ...(livenessProbe ? killingProbeFaults(livenessProbe, `${path}.livenessProbe`) : []),
    ...(readinessProbe ? probeFaults(readinessProbe, `${path}.readinessProbe`) : []),
    ...(readinessProbe?.terminationGracePeriodSeconds !== undefined
      ? [
          invalid(
            `${path}.readinessProbe.terminationGracePeriodSeconds`,
            readinessProbe.terminationGracePeriodSeconds,
            'must not be set for readinessProbes',
          ),
        ]
      : []),
    ...(startupProbe ? probeFaults(startupProbe, `${path}.startupProbe`) : []),
    ...(startupProbe ? killingProbeFaults(startupProbe, `${path}.startupProbe`) : []),
    ...(postStart ? hookFaults(postStart, graceSeconds, `${path}.lifecycle.postStart`) : []),
    ...(preStop ? hookFaults(preStop, graceSeconds, `${path}.lifecycle.preStop`) : []),
    ...oneOf(`${path}.lifecycle.stopSignal`, stopSignal, signals),
  ];
}

function probeFaults(probe: Probe, path: string): FieldFault[] {
  const { terminationGracePeriodSeconds: grace } = probe;
  const timings = [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ] as const;
  const { exec, httpGet, tcpSocket, grpc } = probe;
  return [
    ...handlerFaults({ exec, httpGet, tcpSocket, grpc }, path),
    ...timings.flatMap((field) => notNegative(`${path}.${field}`, probe[field])),
    ...(grace !== undefined && grace <= 0
      ? [invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0')]
      : []),
  ];
}

/** Of a probe whose failure kills: one success must do. */
function killingProbeFaults({ successThreshold = 1 }: Probe, path: string): FieldFault[] {
  return successThreshold === 1 ? [] : [invalid(`${path}.successThreshold`, successThreshold, 'must be 1')];
}

function hookFaults(handler: LifecycleHandler, graceSeconds: number, path: string): FieldFault[] {
  const { exec, httpGet, tcpSocket, sleep } = handler;
  const faults = handlerFaults({ exec, httpGet, tcpSocket, sleep }, path);
  // Kubernetes takes it and fails the hook whenever it runs.
  if (tcpSocket) faults.push(forbidden(`${path}.tcpSocket`, 'a TCP socket is no lifecycle hook'));
  const { seconds = 0 } = sleep ?? {};
  if (seconds < 0 || seconds > graceSeconds) {
    const detail = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`;
    faults.push(invalid(`${path}.sleep`, seconds, detail));
  }
  return faults;
}

interface Handlers {
  readonly exec: Wire<'core.v1.ExecAction'> | undefined;
  readonly httpGet: Wire<'core.v1.HTTPGetAction'> | undefined;
  readonly tcpSocket: Wire<'core.v1.TCPSocketAction'> | undefined;
  readonly grpc?: Wire<'core.v1.GRPCAction'> | undefined;
  readonly sleep?: Wire<'core.v1.SleepAction'> | undefined;
}

/** Exactly one handler must be given, and it must be whole. */
function handlerFaults(handlers: Handlers, path: string): FieldFault[] {
  const given = Object.entries(handlers).flatMap(([name, handler]) => (handler === undefined ? [] : [name]));
  const { exec, httpGet, tcpSocket, grpc } = handlers;
  const faults: FieldFault[] = [];
  if (given.length === 0) faults.push(required(path, 'must specify a handler type'));
  for (const name of given.slice(1)) {
    faults.push(forbidden(`${path}.${name}`, 'may not specify more than 1 handler type'));
  }
  if (exec && !exec.command?.length) faults.push(required(`${path}.exec.command`));
  if (httpGet) faults.push(...httpGetFaults(httpGet, `${path}.httpGet`));
  if (tcpSocket) faults.push(...portFaults(tcpSocket.port, `${path}.tcpSocket.port`));
  if (grpc) faults.push(...portFaults(grpc.port, `${path}.grpc.port`));
  return faults;
}

function httpGetFaults(httpGet: Wire<'core.v1.HTTPGetAction'>, path: string): FieldFault[] {
  return [
    ...(httpGet.path ? [] : [required(`${path}.path`)]),
    ...portFaults(httpGet.port, `${path}.port`),
    ...oneOf(`${path}.scheme`, httpGet.scheme, schemes),
    ...(httpGet.httpHeaders ?? []).flatMap(({ name = '' }, index) =>
      invalidFor(`${path}.httpHeaders[${index}].name`, name, httpHeaderNameProblems(name)),
    ),
  ];
}

/** A number in range, or what may be a port's name; that the container has a port of that name is not asked here. */
function portFaults(port: number | string | undefined, path: string): FieldFault[] {
  if (port === undefined || port === '') return [required(path)];
  return typeof port === 'number' ? portInRange(path, port) : invalidFor(path, port, portNameProblems(port));
}

import type { Handler, PortReference } from '../pod/handlers.js';
import type { Container } from '../pod/pod-spec.js';

/** What a handler asks of somebody, with every name in it looked up. */
export type Check =
  | { readonly type: 'exec'; readonly command: readonly string[] }
  | {
      readonly type: 'http';
      readonly scheme: 'http' | 'https';
      readonly host: string;
      readonly port: number;
      readonly path: string;
      readonly headers: readonly { readonly name: string; readonly value: string }[];
    }
  | { readonly type: 'tcp'; readonly host: string; readonly port: number }
  | { readonly type: 'grpc'; readonly host: string; readonly port: number; readonly service: string }
  | { readonly type: 'sleep'; readonly seconds: number }
  /** It cannot be done, whoever tries: the message says why. */
  | { readonly type: 'impossible'; readonly message: string };

/** A handler of a container whose pod has this address. */
export function checkOf(handler: Handler, container: Container, podIP: string | undefined): Check {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  if (exec) return { type: 'exec', command: exec.command ?? [] };
  if (sleep) return { type: 'sleep', seconds: sleep.seconds };
  const target = httpGet ?? tcpSocket ?? grpc;
  if (!target) return { type: 'impossible', message: 'no handler is given' };
  const port = portOf(target.port, container);
  if (port === undefined) return { type: 'impossible', message: `couldn't find port: ${JSON.stringify(target.port)}` };
  const host = (httpGet ?? tcpSocket)?.host || podIP;
  if (host === undefined) return { type: 'impossible', message: 'the pod has no address' };
  if (httpGet) {
    const { scheme, path = '', httpHeaders: headers = [] } = httpGet;
    return {
      ...{ type: 'http', host, port, headers },
      scheme: scheme === 'HTTPS' ? 'https' : 'http',
      path: path.startsWith('/') ? path : `/${path}`,
    };
  }
  return grpc ? { type: 'grpc', host, port, service: grpc.service ?? '' } : { type: 'tcp', host, port };
}

/** A port by number or by the name that the container gives it. */
function portOf(reference: PortReference, { ports = [] }: Container): number | undefined {
  const port = /^\d+$/.test(String(reference))
    ? Number(reference)
    : ports.find(({ name }) => name === reference)?.containerPort;
  return port !== undefined && port >= 1 && port <= 65_535 ? port : undefined;
}

/** What came of a check. `unknown`: it could not be made, and says nothing of the container. */
export interface CheckOutcome {
  readonly result: 'success' | 'failure' | 'unknown';
  readonly message: string;
}

/** Most characters of an outcome's message that are kept. */
const LONGEST_MESSAGE = 1_024;

export const succeeded: CheckOutcome = { result: 'success', message: '' };
export const failed = (message: string): CheckOutcome => ({
  result: 'failure',
  message: message.slice(0, LONGEST_MESSAGE),
});
export const undecided = (message: string): CheckOutcome => ({ result: 'unknown', message });

/** kubelet's rule: 200 to 399 is a success. */
export const judgeHttp = (status: number): CheckOutcome =>
  status >= 200 && status < 400 ? succeeded : failed(`HTTP probe failed with statuscode: ${status}`);

/** A command succeeds with exit code 0. */
export const judgeExec = (exitCode: number, output: string): CheckOutcome =>
  exitCode === 0 ? succeeded : failed(output.trim() || `command exited with code ${exitCode}`);

/** `ServingStatus` of grpc.health.v1. */
const SERVING_STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/** A gRPC server is healthy when it says that it serves. */
export const judgeGrpc = (servingStatus: number): CheckOutcome =>
  servingStatus === 1
    ? succeeded
    : failed(`service unhealthy (responded with "${SERVING_STATUS[servingStatus] ?? servingStatus}")`);

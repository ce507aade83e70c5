import { initContainersOf, parseRfc3339, type Millis, type PodState } from '#domain';
import type { LogsOptions } from '#bus';
import { badRequest, invalidOption } from '../status-error.js';
import { booleanOption, integerOption } from '../write/write-options.js';

/** Query parameters of `/log`, as sent. */
export interface LogQuery {
  readonly container?: string;
  readonly follow?: string;
  readonly previous?: string;
  readonly sinceSeconds?: string;
  readonly sinceTime?: string;
  readonly timestamps?: string;
  readonly tailLines?: string;
  readonly limitBytes?: string;
}

/** Reads the options. Throws 400 and 422 of what cannot be meant. */
export function logsOptions(query: LogQuery, now: Millis): LogsOptions {
  const tailLines = atLeast('tailLines', query.tailLines, 0);
  const limitBytes = atLeast('limitBytes', query.limitBytes, 1);
  const sinceTime = sinceOf(query, now);
  return {
    follow: booleanOption('follow', query.follow),
    previous: booleanOption('previous', query.previous),
    timestamps: booleanOption('timestamps', query.timestamps),
    ...(sinceTime !== undefined && { sinceTime }),
    ...(tailLines !== undefined && { tailLines }),
    ...(limitBytes !== undefined && { limitBytes }),
  };
}

function atLeast(name: string, text: string | undefined, least: number): number | undefined {
  const value = integerOption(name, text);
  if (value !== undefined && value < least)
    throw invalidOption('PodLogOptions', name, `Invalid value: ${value}: must be greater than or equal to ${least}`);
  return value;
}

function sinceOf({ sinceSeconds, sinceTime }: LogQuery, now: Millis): Millis | undefined {
  const seconds = atLeast('sinceSeconds', sinceSeconds, 1);
  if (!sinceTime) return seconds === undefined ? undefined : Math.max(0, now - seconds * 1000);
  if (seconds !== undefined)
    throw invalidOption(
      'PodLogOptions',
      'sinceSeconds',
      'Forbidden: at most one of sinceTime or sinceSeconds may be specified',
    );
  const time = parseRfc3339(sinceTime);
  if (time === undefined)
    throw badRequest(`Invalid value: ${JSON.stringify(sinceTime)}: sinceTime must be an RFC 3339 time`);
  return Math.max(0, time);
}

/** A run of a container whose output can be read: the container and the engine's id of that run. */
export interface LogSource {
  readonly node: string;
  readonly container: string;
  readonly containerId: string;
}

/**
 * Which container's output is meant, or 400 in the words of Kubernetes: several containers and none named, no such
 * container, not started yet, or no run before this one.
 */
export function logSource(pod: PodState, container: string | undefined, previous: boolean): LogSource {
  const names = pod.spec.containers.map(({ name }) => name);
  const inits = initContainersOf(pod.spec).map(({ name }) => name);
  const [only, ...others] = names;
  const podName = pod.meta.name;
  if (!container && others.length > 0)
    throw badRequest(
      `a container name must be specified for pod ${podName}, choose one of: [${names.join(' ')}]` +
        (inits.length > 0 ? ` or one of the init containers: [${inits.join(' ')}]` : ''),
    );
  const name = container || (only ?? '');
  if (![...names, ...inits].includes(name)) throw badRequest(`container ${name} is not valid for pod ${podName}`);
  const state = pod.containers[name];
  const node = pod.nodeName;
  const last = state?.last;
  if (previous) {
    if (node === undefined || !last)
      throw badRequest(
        `previous terminated container ${JSON.stringify(name)} in pod ${JSON.stringify(podName)} not found`,
      );
    return { node, container: name, containerId: last.containerId };
  }
  if (node !== undefined && state) {
    // Between two runs of a container the newest output is that of the run that ended.
    const containerId =
      state.running || state.terminated ? (state.terminated?.containerId ?? state.containerId) : last?.containerId;
    if (containerId) return { node, container: name, containerId };
  }
  const reason = node === undefined ? undefined : state?.waiting?.reason;
  const where = `container ${JSON.stringify(name)} in pod ${JSON.stringify(podName)}`;
  throw badRequest(reason ? `${where} is waiting to start: ${reason}` : `pod ${podName} does not have a host assigned`);
}

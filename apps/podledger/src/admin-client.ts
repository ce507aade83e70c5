import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';

/** How to reach an API as its administrator. */
export interface AdminAccess {
  readonly server: string;
  readonly ca: string;
  readonly token: string;
}

interface ObjectList {
  readonly items: readonly { readonly metadata: { readonly name: string; readonly namespace?: string } }[];
}

interface ResourceList {
  readonly resources: readonly { readonly name: string; readonly verbs: readonly string[] }[];
}

interface NodeList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }[];
}

/** Any answer but 2xx. */
export class ApiRefusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = 'ApiRefusal';
  }
}

const answerWithinMs = 30_000;
const pollMs = 100;

/** What a kubeconfig written by `writeKubeconfig` says. */
export function readKubeconfig(path: string): AdminAccess {
  const config = parse(readFileSync(path, 'utf8')) as {
    clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }];
    users: [{ user: { token: string } }];
  };
  const { cluster } = config.clusters[0];
  return {
    server: cluster.server,
    ca: Buffer.from(cluster['certificate-authority-data'], 'base64').toString('utf8'),
    token: config.users[0].user.token,
  };
}

/** Ends every workload and pod of the cluster and waits until they are gone. Returns how many pods there were. */
export async function endAllPods(access: AdminAccess, gracePeriodSeconds: number, withinMs: number): Promise<number> {
  const options = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds, propagationPolicy: 'Background' };
  const until = performance.now() + withinMs;
  const told = new Set<string>();
  const ended = new Set<string>();
  for (;;) {
    // The owners first: else they would make what is being deleted anew. What was made meanwhile is found the next time.
    const workloads = await workloadPaths(access);
    const pods = await pathsOf(access, '/api/v1', 'pods');
    for (const path of [...workloads, ...pods].filter((one) => !told.has(one))) {
      await deleteIfThere(access, path, options);
      told.add(path);
    }
    for (const path of pods) ended.add(path);
    if (pods.length === 0 && workloads.length === 0) return ended.size;
    if (performance.now() > until) throw new Error(`${pods.length} pods are still there after ${withinMs / 1000} s`);
    await sleep(pollMs);
  }
}

/** Groups of kinds that make pods. */
const workloadGroups = ['/apis/apps/v1', '/apis/batch/v1'];

async function workloadPaths(access: AdminAccess): Promise<string[]> {
  const paths: string[] = [];
  for (const group of workloadGroups) {
    const { resources } = (await call(access, 'GET', group)) as ResourceList;
    for (const { name, verbs } of resources)
      if (!name.includes('/') && verbs.includes('delete')) paths.push(...(await pathsOf(access, group, name)));
  }
  return paths;
}

/** Takes a node out of the cluster; its pods are lost to it. A node that is not there is as wished. */
export async function deleteNode(access: AdminAccess, name: string): Promise<void> {
  await deleteIfThere(access, `/api/v1/nodes/${name}`, {});
}

/** Waits until the nodes are Ready. Returns those that are not within the time: their engine may be away. */
export async function awaitNodes(access: AdminAccess, names: readonly string[], withinMs: number): Promise<string[]> {
  const until = performance.now() + withinMs;
  for (;;) {
    const { items } = (await call(access, 'GET', '/api/v1/nodes')) as NodeList;
    const ready = items.filter(({ status }) =>
      status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    );
    const missing = names.filter((name) => !ready.some(({ metadata }) => metadata.name === name));
    if (missing.length === 0 || performance.now() > until) return missing;
    await sleep(pollMs);
  }
}

async function pathsOf(access: AdminAccess, group: string, plural: string): Promise<string[]> {
  const { items } = (await call(access, 'GET', `${group}/${plural}`)) as ObjectList;
  return items.map(({ metadata }) => `${group}/namespaces/${metadata.namespace}/${plural}/${metadata.name}`);
}

async function deleteIfThere(access: AdminAccess, path: string, options: object): Promise<void> {
  try {
    await call(access, 'DELETE', path, options);
  } catch (error) {
    if (!(error instanceof ApiRefusal && error.status === 404)) throw error;
  }
}

function call(access: AdminAccess, method: string, path: string, body?: object): Promise<unknown> {
  const text = body && JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(path, access.server),
      {
        method,
        ca: access.ca,
        agent: false,
        timeout: answerWithinMs,
        headers: {
          authorization: `Bearer ${access.token}`,
          // Said outright, because Node leaves the length of a DELETE's body out.
          ...(text && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString('utf8');
          const status = response.statusCode ?? 0;
          if (status < 200 || status > 299)
            return reject(new ApiRefusal(status, `${method} ${path}: HTTP ${status} ${answer}`));
          resolve(JSON.parse(answer));
        });
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${path}: no answer within ${answerWithinMs / 1000} s`)));
    sent.on('error', reject);
    sent.end(text);
  });
}

import type { Json } from '../json.js';
import type { AssignedPod } from '../node/assigned-pod.js';
import type { Container } from '../pod/pod-spec.js';
import { hostPortsOf } from '../units.js';
import { stableHash } from '../hash.js';

/*
 * What a container was created from, in a word that stays on the engine. A container whose word differs from its pod's wish
 * is not the one wanted. Only what the client wrote enters it: a new address or another capacity of the node restarts nothing.
 */

/** JSON with sorted keys and without `undefined`: equal values give equal text. */
export function canonicalJson(value: Json | undefined): string {
  if (value === undefined) return 'null';
  if (Array.isArray(value)) return `[${value.map((item: Json) => canonicalJson(item)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`);
  return `{${fields.join(',')}}`;
}

/** The sandbox's word: hostname, published ports and volumes. */
export function sandboxHash({ key, spec }: AssignedPod): string {
  return stableHash(
    canonicalJson({
      hostname: spec.hostname ?? key.name,
      ports: hostPortsOf(spec).map(({ protocol, hostPort, hostIP }) => [protocol, hostPort, hostIP]),
      volumes: spec.volumes ?? [],
    }),
  );
}

/**
 * One app container's word, without its generation: everything that its creation reads of the pod. Of configuration it has
 * the names only: an edited value restarts nothing, and a hash of a secret on the engine could be guessed.
 */
export function containerHash(pod: AssignedPod, container: Container): string {
  const { name, image, command, args, env, envFrom, workingDir, resources } = container;
  const { volumeMounts, stdin, tty } = container;
  return stableHash(
    canonicalJson({
      ...{ name, image, command, args, env, envFrom, workingDir, resources, volumeMounts, stdin, tty },
      shareProcessNamespace: pod.spec.shareProcessNamespace,
      stopSignal: container.lifecycle?.stopSignal,
    }),
  );
}

/**
 * A container's whole word: its hash and its generation. Containers of one generation were created together and share their
 * fate; under shared fate the generation is the main container's attempt, so a helper's word tells beside which run of the
 * main container it was made, whatever its own count of restarts.
 */
export const specHashOf = (hash: string, generation: number): string => `${hash}-${generation}`;

/** The inverse of {@link specHashOf}; generation -1 of a word that is none of ours. */
export function readSpecHash(specHash: string): { readonly hash: string; readonly generation: number } {
  const match = /^([0-9a-f]+)-(\d{1,9})$/.exec(specHash);
  return match ? { hash: match[1] ?? '', generation: Number(match[2]) } : { hash: specHash, generation: -1 };
}

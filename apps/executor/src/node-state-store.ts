import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SeenState } from './assignment-tracker.js';

/** Where a node keeps what it has seen, so that a restart does not make it forget to which cluster it belongs. */
export interface NodeStateStore {
  load(): Promise<SeenState | undefined>;
  save(state: SeenState): Promise<void>;
}

/** A node's state as a small file, replaced as one step. */
export class NodeStateFile implements NodeStateStore {
  constructor(private readonly path: string) {}

  async load(): Promise<SeenState | undefined> {
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (cause) {
      if (isMissing(cause)) return undefined;
      throw cause;
    }
    return readState(text, this.path);
  }

  async save(state: SeenState): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    const draft = `${this.path}.new`;
    // On the disk before it takes the old one's place: a power cut must not leave an empty file there.
    await writeFile(draft, `${JSON.stringify(state)}\n`, { mode: 0o600, flush: true });
    await rename(draft, this.path);
  }
}

/** By its code, not its class: errors of Node's own modules may come from another realm. */
const isMissing = (cause: unknown): boolean =>
  typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'ENOENT';

function readState(text: string, path: string): SeenState {
  const value = parsed(text);
  if (typeof value === 'object' && value !== null && 'cluster' in value && 'revision' in value) {
    const { cluster, revision } = value;
    if (typeof cluster === 'string' && typeof revision === 'number') return { cluster, revision };
  }
  throw new Error(`${path} does not hold a node's state; remove it to let this node join anew`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

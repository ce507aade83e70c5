import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isNodeName } from '../subjects.js';

/**
 * Which public keys were let in as which node: what a revocation needs to name. One file a node, in a folder beside the keys
 * of the home, so that processes that share the folder share them and a restart forgets none.
 */
export class NodeKeyFiles {
  private readonly folder: string;

  /** `keysDirectory` is that of `loadNatsKeys`. */
  constructor(keysDirectory: string) {
    this.folder = join(keysDirectory, 'node-keys');
  }

  /** Keeps a key. With `only`, those kept before are forgotten: they were in the memory of processes that have ended. */
  async remember(node: string, publicKey: string, { only = false } = {}): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await writeFile(join(this.folder, node), `${publicKey}\n`, { mode: 0o600, flag: only ? 'w' : 'a' });
  }

  /** The keys of a node; none when it never had one. */
  async of(node: string): Promise<string[]> {
    try {
      const text = await readFile(join(this.folder, node), 'utf8');
      return [...new Set(text.split('\n').filter(Boolean))];
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  async forget(node: string): Promise<void> {
    await rm(join(this.folder, node), { force: true });
  }

  /** Nodes that have keys. */
  async nodes(): Promise<string[]> {
    try {
      return (await readdir(this.folder)).filter(isNodeName).sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }
}

const isMissing = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JoinTokenRecord, JoinTokenStore } from '#bus';

/**
 * Join tokens as files of a folder: they outlive a restart, and processes that share the folder share them. A claim is a file
 * that only one can create.
 */
export class JoinTokenFiles implements JoinTokenStore {
  constructor(private readonly folder: string) {}

  async save(record: JoinTokenRecord): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await writeFile(this.file(record.id, 'json'), JSON.stringify(record), { mode: 0o600, flag: 'wx' });
  }

  async find(id: string): Promise<JoinTokenRecord | undefined> {
    const text = await this.read(this.file(id, 'json'));
    return text === undefined ? undefined : (JSON.parse(text) as JoinTokenRecord);
  }

  async claim(id: string, claimant: string): Promise<string> {
    const file = this.file(id, 'claim');
    try {
      await writeFile(file, claimant, { mode: 0o600, flag: 'wx' });
      return claimant;
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
      return (await this.read(file)) ?? '';
    }
  }

  private async read(file: string): Promise<string | undefined> {
    try {
      return await readFile(file, 'utf8');
    } catch (error) {
      if (isCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** Ids are hexadecimal: `JoinTokens` reads no other. */
  private file(id: string, kind: 'json' | 'claim'): string {
    return join(this.folder, `${id}.${kind}`);
  }
}

/** By its code, not its class: errors of Node's own modules may come from another realm. */
const isCode = (error: unknown, code: string): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === code;

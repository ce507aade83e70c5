import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JoinTokenFiles } from './join-token-files.js';

const record = { id: 'abc123', hash: 'hash', expiresAt: 1 };

describe('join tokens as files', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'podledger-tokens-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are found again by another process that has the folder, and only by the id they have', async () => {
    await new JoinTokenFiles(join(folder, 'tokens')).save(record);
    const other = new JoinTokenFiles(join(folder, 'tokens'));
    expect(await other.find('abc123')).toEqual(record);
    expect(await other.find('abc124')).toBeUndefined();
    expect(statSync(join(folder, 'tokens', 'abc123.json')).mode & 0o077).toBe(0);
  });

  it('belong to the first who claims them, whoever asks later', async () => {
    const tokens = new JoinTokenFiles(folder);
    const claims = await Promise.all(['n1', 'n2', 'n3'].map((claimant) => tokens.claim('abc123', claimant)));
    expect(new Set(claims.filter((winner) => winner !== '')).size).toBe(1);
    const winner = claims.find((one) => one !== '') ?? '';
    expect(await tokens.claim('abc123', 'n4')).toBe(winner);
  });
});

import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { buildPauseImage } from './docker-pause-image.js';

async function members(archive: Buffer): Promise<Map<string, { mode: number; content: Buffer }>> {
  const found = new Map<string, { mode: number; content: Buffer }>();
  const reader = Readable.from([archive]).pipe(extract());
  for await (const entry of reader) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(Buffer.from(chunk as Uint8Array));
    found.set(entry.header.name, { mode: entry.header.mode, content: Buffer.concat(chunks) });
  }
  return found;
}
const sha256 = (content: Buffer | undefined) =>
  createHash('sha256')
    .update(content ?? '')
    .digest('hex');

describe.each([
  { architecture: 'amd64', machine: 0x3e, digest: '97e3feca3bf13066ca84d90d6b6485a93730f382e59eba95cd66809f8c53f385' },
  { architecture: 'arm64', machine: 0xb7, digest: 'f164dba71332c7c7de08864e51400dbc703bec734a6936c43acd76aeab7956a9' },
])('the pause image for $architecture', ({ architecture, machine, digest }) => {
  it('holds the program compiled from pause.c, and places for volumes that everybody may write', async () => {
    const archive = await members((await buildPauseImage(architecture)).archive);
    const layer = await members(archive.get('layer.tar')?.content ?? Buffer.alloc(0));
    const pause = layer.get('pause');
    expect(sha256(pause?.content)).toBe(digest);
    expect(pause?.content.readUInt16LE(18)).toBe(machine);
    expect(pause?.mode).toBe(0o755);
    expect(layer.get('podledger/open/0/')?.mode).toBe(0o777);
    expect(layer.get('podledger/open/255/')?.mode).toBe(0o777);
  });

  it('is consistent: every digest is that of the content', async () => {
    const { reference, archive } = await buildPauseImage(architecture);
    const parts = await members(archive);
    const [manifest] = JSON.parse(parts.get('manifest.json')?.content.toString() ?? '[]');
    expect(manifest.RepoTags).toEqual([reference]);
    const config = parts.get(manifest.Config)?.content;
    expect(manifest.Config).toBe(`${sha256(config)}.json`);
    const { rootfs, architecture: said } = JSON.parse(config?.toString() ?? '{}');
    expect(rootfs.diff_ids).toEqual([`sha256:${sha256(parts.get('layer.tar')?.content)}`]);
    expect(said).toBe(architecture);
  });

  it('is the same every time', async () => {
    expect(await buildPauseImage(architecture)).toEqual(await buildPauseImage(architecture));
  });
});

it('says so where there is no pause program', async () => {
  await expect(buildPauseImage('riscv64')).rejects.toMatchObject({ fault: 'Failed' });
});

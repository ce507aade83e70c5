import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';
import { RuntimeError } from './container-runtime.js';
import type { DockerClient } from './docker-client.js';
import { jsonLines } from './docker-stream.js';

/** pause.c compiled, gzip and base64: the sandbox's only program, carried here so that no registry and no compiler is needed. */
const PAUSE: Readonly<Record<string, string>> = {
  // sha256 97e3feca3bf13066ca84d90d6b6485a93730f382e59eba95cd66809f8c53f385
  amd64:
    'H4sIAAAAAAACA6t39XFjYmRkgAEmBjsGEG8DgwOY7wAVz0AoYXBgsGBgYnBgYGFgBqtlB6uHAJg+GD0DKg6jFaB04NOSFDYG4oEAlHbc4cDowG' +
    'B4yXEXBwMDww4+BgYGj87rPp3H+Fn3KTA6MOzgZWBg2C/IwMDAz+q4swGkA6zSp/OET+dxj85r/KwerQcqXjnueM7AwGB4ydXwkk/nAY/O62Cp' +
    '1+/Q7WUk4C4mWADpFWcUlxSVJCYx6JWkVpQw6BXlpySWJDJQCXBD3cKOEc4QkEDA3YJQMSZYPDA6QGkIXwNNvQIW85ixuMsDql+SgP0APz/C5W' +
    'gCAAA=',
  // sha256 f164dba71332c7c7de08864e51400dbc703bec734a6936c43acd76aeab7956a9
  arm64:
    'H4sIAAAAAAACA6t39XFjYmRkgAEmhu0MIN4GBgcw3wEq3oFQwuDAYMHAxODAwMrAAlbLDlYPATB9CJoBheaA0oFPS1LYGIgHAlCahYFhQksCy8' +
    'QXAg2XGBgaLj1kZlnFxNBwiZmx4RIjA8OVEwINlxSYGi41MjB3g/gPmFlWaQiC5BouIatz+P9/+wluiBlwOQaI3K///8WZoB5nJOAexqogBpYK' +
    'OUZpHnmwmAQDA0PM////M2AK9YozikuKShKTGPRKUitKGPSK8lMSSxIZ9FIz4tOKEnNTGagCuKFuZceIBwjIQFPPgsYXhOpngvIlGB2gNISvgK' +
    'aeA40viabfAqrfAqpfg4B+kDJmLP5KgOpXxqIeGQAAQYfVY8gCAAA=',
};

/**
 * Directories of mode 0777 in the image, one for each volume of a pod. An empty volume mounted on one of them takes over
 * its mode when the container is created: that makes an emptyDir writable to all without a call (`putArchive` costs 50 ms).
 */
const OPEN_PATH = '/podledger/open';
/** How many volumes on disk a pod can have. */
export const OPEN_DIRECTORIES = 256;

/** Where the n-th volume of a pod is mounted once more, to be opened to all users. */
export function openDirectory(index: number): string {
  return `${OPEN_PATH}/${index}`;
}

interface PauseImage {
  readonly reference: string;
  /** A docker-archive with this one image. */
  readonly archive: Buffer;
}

const EPOCH = new Date(0);

type Entry = readonly [header: Pick<Header, 'name' | 'mode'> & Partial<Header>, content?: Buffer];

async function tar(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const [header, content] of entries) archive.entry({ ...header, mtime: EPOCH }, content ?? Buffer.alloc(0));
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function directory(path: string, mode: number): Entry {
  return [{ name: `${path.slice(1)}/`, type: 'directory', mode }];
}

/**
 * The sandbox's image for an architecture, the same bytes every time. Its tag is its content, so "is it there?" is one
 * look. Throws `Failed` for an architecture that no pause program exists for.
 */
export async function buildPauseImage(architecture: string): Promise<PauseImage> {
  const program = PAUSE[architecture];
  if (program === undefined) {
    throw new RuntimeError(
      'Failed',
      `no pause program for the architecture ${architecture}; there is one for amd64 and arm64`,
    );
  }
  const layer = await tar([
    [{ name: 'pause', mode: 0o755 }, gunzipSync(Buffer.from(program, 'base64'))],
    directory('/podledger', 0o755),
    directory(OPEN_PATH, 0o755),
    ...Array.from({ length: OPEN_DIRECTORIES }, (_, index) => directory(openDirectory(index), 0o777)),
  ]);
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os: 'linux',
      created: '1970-01-01T00:00:00Z',
      config: { Entrypoint: ['/pause'], User: '65535:65535' },
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
    }),
  );
  const digest = sha256(config);
  const reference = `podledger.dev/pause:${digest.slice(0, 16)}`;
  const manifest = [{ Config: `${digest}.json`, RepoTags: [reference], Layers: ['layer.tar'] }];
  const archive = await tar([
    [{ name: `${digest}.json`, mode: 0o644 }, config],
    [{ name: 'layer.tar', mode: 0o644 }, layer],
    [{ name: 'manifest.json', mode: 0o644 }, Buffer.from(JSON.stringify(manifest))],
  ]);
  return { reference, archive };
}

const DEADLINE_MS = 60_000;

/** Loads the pause image unless it is there; returns its reference. */
export async function ensurePauseImage(client: DockerClient): Promise<string> {
  const { architecture } = await client.engine();
  const image = await buildPauseImage(architecture);
  try {
    await client.call('look for the pause image', DEADLINE_MS, (docker) => docker.getImage(image.reference).inspect());
  } catch (error) {
    if (!(error instanceof RuntimeError) || error.fault !== 'ImageNotPresent') throw error;
    await client.call('load the pause image', DEADLINE_MS, async (docker) => {
      const answer = await docker.loadImage(Readable.from([image.archive]));
      for await (const line of jsonLines(answer)) {
        if (line['error'] !== undefined) throw new Error(String(line['error']));
      }
    });
  }
  return image.reference;
}

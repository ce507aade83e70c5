import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { imageArchive, type ImageEntry } from '../../scripts/images.mjs';

const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
const CONFIG_TYPE = 'application/vnd.docker.container.image.v1+json';
const LAYER_TYPE = 'application/vnd.docker.image.rootfs.diff.tar';

interface Blob {
  readonly type: string;
  readonly content: Buffer;
}

/**
 * An image registry on a random loopback port: as much of the registry protocol as a pull needs. Engines take loopback
 * registries without TLS.
 */
export class TestRegistry {
  /** Paths asked for, in order. */
  readonly requests: string[] = [];
  private readonly answers = new Map<string, Blob>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<TestRegistry> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const registry = new TestRegistry(server);
    server.on('request', ({ method, url = '' }, response) => {
      registry.requests.push(url);
      const blob =
        url === '/v2/' ? { type: 'application/json', content: Buffer.from('{}') } : registry.answers.get(url);
      if (blob === undefined) {
        const body = JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] });
        response.writeHead(404, { 'Content-Type': 'application/json' }).end(body);
        return;
      }
      response.writeHead(200, {
        'Content-Type': blob.type,
        'Content-Length': blob.content.length,
        'Docker-Content-Digest': digest(blob.content),
      });
      response.end(method === 'HEAD' ? undefined : blob.content);
    });
    return registry;
  }

  /** `127.0.0.1:port`. */
  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Offers an image; returns its reference and what an engine calls it after a pull. */
  add(
    name: string,
    tag: string,
    entries: readonly ImageEntry[],
  ): { readonly reference: string; readonly imageId: string } {
    const repository = `${this.address}/${name}`;
    const { config, layer } = imageArchive({ reference: `${repository}:${tag}`, entries });
    const part = (mediaType: string, content: Buffer) => ({ mediaType, size: content.length, digest: digest(content) });
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST_TYPE,
        config: part(CONFIG_TYPE, config),
        layers: [part(LAYER_TYPE, layer)],
      }),
    );
    for (const content of [config, layer]) {
      this.answers.set(`/v2/${name}/blobs/${digest(content)}`, { type: 'application/octet-stream', content });
    }
    for (const version of [tag, digest(manifest)]) {
      this.answers.set(`/v2/${name}/manifests/${version}`, { type: MANIFEST_TYPE, content: manifest });
    }
    return { reference: `${repository}:${tag}`, imageId: `${repository}@${digest(manifest)}` };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

function digest(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

import type Dockerode from 'dockerode';
import type { Clock } from '#domain';
import { RuntimeError, type PullProgress } from './container-runtime.js';
import type { DockerClient } from './docker-client.js';
import { pullFailure, statusOf, translate } from './docker-errors.js';
import { jsonLines } from './docker-stream.js';

/** DESIGN section 4: a pull may take as long as it likes while it moves. */
const STALLED_MS = 600_000;
const INSPECT_DEADLINE_MS = 10_000;

const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
// A first component is a registry when it looks like an address; else it is part of the path and in lower case.
const HOST = '[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?';
const DOMAIN = `(?:localhost|(?=[^/]*[.:])${HOST}|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?`;
/** The reference grammar of the distribution project: [domain/]path[:tag][@digest]. */
const REFERENCE = new RegExp(
  `^((?:(?:${DOMAIN})/)?${COMPONENT}(?:/${COMPONENT})*)(?::([\\w][\\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$`,
);
/** A name of 255, a tag of 128, a sha512 digest: nothing real is longer. */
const LONGEST_REFERENCE = 600;

interface Reference {
  readonly repository: string;
  /** Always with a tag or a digest: without one some engines fetch every tag there is. */
  readonly full: string;
}

/** Reads a reference. Throws `InvalidImageName`; nothing else ever becomes part of an engine's path. */
export function parseReference(reference: string): Reference {
  const [, repository, tag, digest] = (reference.length <= LONGEST_REFERENCE && REFERENCE.exec(reference)) || [];
  if (repository === undefined) {
    throw new RuntimeError('InvalidImageName', `couldn't parse image name "${reference}": invalid reference format`);
  }
  return { repository, full: tag === undefined && digest === undefined ? `${reference}:latest` : reference };
}

/** `name@sha256:...` of the registry the reference names, else of any, else the bare id of an image from no registry. */
export function imageIdOf(info: Pick<Dockerode.ImageInspectInfo, 'Id' | 'RepoDigests'>, reference: string): string {
  const digests = info.RepoDigests ?? [];
  const repository = REFERENCE.exec(reference)?.[1];
  return digests.find((digest) => digest.startsWith(`${repository}@`)) ?? digests[0] ?? info.Id;
}

/** The images of one engine; a reference that several pods wait for is pulled once. */
export class DockerImages {
  private readonly underWay = new Map<string, { readonly done: Promise<string>; readonly listeners: Set<Listener> }>();
  private readonly resolved = new Map<string, string>();
  /** Looks under way: who asks meanwhile is given the same answer. */
  private readonly looks = new Map<string, Promise<string | undefined>>();

  constructor(
    private readonly client: DockerClient,
    private readonly clock: Clock,
  ) {}

  /** What a reference is on this engine; `undefined` when it is not here. */
  async find(reference: string): Promise<string | undefined> {
    const { full } = parseReference(reference);
    const known = this.looks.get(full);
    if (known) return known;
    const look = this.inspect(full, reference).finally(() => this.looks.delete(full));
    this.looks.set(full, look);
    return look;
  }

  /** The image id of a container that was made from an image given by id; the bare id when the image has gone since. */
  async imageIdOfContainer(engineImageId: string, reference: string): Promise<string> {
    const key = `${engineImageId} ${reference}`;
    const known = this.resolved.get(key);
    if (known !== undefined) return known;
    const imageId = (await this.inspect(engineImageId, reference)) ?? engineImageId;
    this.resolved.set(key, imageId);
    return imageId;
  }

  async pull(reference: string, onProgress: Listener): Promise<string> {
    const { full } = parseReference(reference);
    let pull = this.underWay.get(full);
    if (pull === undefined) {
      const listeners = new Set<Listener>();
      const done = this.pullOnce(full, (progress) => listeners.forEach((listen) => listen(progress)));
      pull = { done: done.finally(() => this.underWay.delete(full)), listeners };
      this.underWay.set(full, pull);
    }
    pull.listeners.add(onProgress);
    return pull.done;
  }

  private async inspect(name: string, reference: string): Promise<string | undefined> {
    try {
      const info = await this.client.call(`look for image ${reference}`, INSPECT_DEADLINE_MS, (docker) =>
        docker.getImage(name).inspect(),
      );
      return imageIdOf(info, reference);
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  private async pullOnce(reference: string, onProgress: Listener): Promise<string> {
    const what = `pull ${reference}`;
    const stall = new StallGuard(this.clock, STALLED_MS, what);
    try {
      await Promise.race([this.transfer(what, reference, stall, onProgress), stall.stalled]);
    } catch (error) {
      throw pullFailure(translate(what, error));
    } finally {
      stall.end();
    }
    const imageId = await this.inspect(reference, reference);
    if (imageId === undefined) throw new RuntimeError('PullFailed', `${what}: done, but the image is not there`);
    return imageId;
  }

  private async transfer(what: string, reference: string, stall: StallGuard, onProgress: Listener): Promise<void> {
    const stream = await this.client.call(what, STALLED_MS, (docker) =>
      docker.pull(reference, { abortSignal: stall.signal }),
    );
    const layers = new LayerProgress();
    stream.setEncoding('utf8');
    for await (const line of jsonLines(stream)) {
      stall.moved();
      // A pull that fails on its way says so in the stream, after a status of 200.
      if (typeof line['error'] === 'string') throw new Error(line['error']);
      if (layers.apply(line)) onProgress(layers.total());
    }
  }
}

/** A deadline that begins anew with every sign of life. */
class StallGuard {
  /** Rejects with `DeadlineExceeded`; never resolves. */
  readonly stalled: Promise<never>;
  private readonly abort = new AbortController();
  private fail: (error: RuntimeError) => void = () => undefined;
  private cancel: () => void = () => undefined;

  constructor(
    private readonly clock: Clock,
    private readonly afterMs: number,
    private readonly what: string,
  ) {
    this.stalled = new Promise((_, reject) => (this.fail = reject));
    this.moved();
  }

  /** Aborts with the deadline. */
  get signal(): AbortSignal {
    return this.abort.signal;
  }

  moved(): void {
    this.cancel();
    this.cancel = this.clock.after(this.afterMs, () => {
      this.fail(new RuntimeError('DeadlineExceeded', `${this.what}: no progress for ${this.afterMs / 1000} s`));
      this.abort.abort();
    });
  }

  end(): void {
    this.cancel();
  }
}

type Listener = (progress: PullProgress) => void;

/** Adds up what the engine reports layer by layer; the sum never runs backwards. */
export class LayerProgress {
  private readonly layers = new Map<string, PullProgress>();

  /** Takes one line of the stream; true when the sum changed. */
  apply(line: Record<string, unknown>): boolean {
    const { id, status, progressDetail } = line;
    if (typeof id !== 'string') return false;
    const known = this.layers.get(id);
    const next = layerAfter(known, status, progressDetail);
    if (next === undefined || (next.bytesDone === known?.bytesDone && next.bytesTotal === known.bytesTotal))
      return false;
    this.layers.set(id, next);
    return true;
  }

  total(): PullProgress {
    let [bytesDone, bytesTotal] = [0, 0];
    for (const layer of this.layers.values()) {
      bytesDone += layer.bytesDone;
      bytesTotal += layer.bytesTotal;
    }
    return { bytesDone, bytesTotal };
  }
}

function layerAfter(known: PullProgress | undefined, status: unknown, detail: unknown): PullProgress | undefined {
  if (status === 'Download complete' || status === 'Pull complete') {
    return known === undefined ? undefined : { ...known, bytesDone: known.bytesTotal };
  }
  if (status !== 'Downloading' || typeof detail !== 'object' || detail === null) return undefined;
  const current = 'current' in detail && typeof detail.current === 'number' ? detail.current : 0;
  const total = 'total' in detail && typeof detail.total === 'number' ? detail.total : 0;
  return { bytesDone: Math.max(current, known?.bytesDone ?? 0), bytesTotal: Math.max(total, known?.bytesTotal ?? 0) };
}

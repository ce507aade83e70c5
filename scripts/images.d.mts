import type Dockerode from 'dockerode';

/** One path of an image; see images.mjs. */
export type ImageEntry =
  | { readonly path: string; readonly mode?: number; readonly content: string | Uint8Array }
  | { readonly path: string; readonly mode?: number; readonly source: string }
  | { readonly path: string; readonly link: string }
  | { readonly path: string; readonly mode?: number };

export interface ImageContents {
  readonly reference: string;
  readonly entries: readonly ImageEntry[];
  /** The image config's own `config`: Entrypoint, Cmd, Env, User, StopSignal ... */
  readonly config?: Readonly<Record<string, unknown>>;
}

export const BUSYBOX: string;
export const busyboxConfig: Readonly<Record<string, unknown>>;
export function ensureImage(image: ImageContents, docker?: Dockerode): Promise<string>;
export function ensureBusybox(docker?: Dockerode, reference?: string): Promise<string>;
export function busyboxEntries(): ImageEntry[];
export function imageArchive(image: ImageContents): {
  readonly content: string;
  readonly archive: Buffer;
  readonly config: Buffer;
  readonly layer: Buffer;
};

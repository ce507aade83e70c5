import type { NetworkAnswer, NetworkCheck } from '../../apps/executor/src/probes/prober.js';
import { RuntimeError } from '../../apps/executor/src/runtime/container-runtime.js';

/** What the process in a container does, since nobody runs it. */
export interface FakeProgram {
  /** Ends by itself after that long; absent: runs until it is stopped. */
  readonly exitsAfterMs?: number;
  /** Code of its own end. Default 0. */
  readonly exitCode?: number;
  /** Its own end is the kernel's doing: code 137. */
  readonly oomKilled?: boolean;
  /** `true`: only SIGKILL ends it. */
  readonly ignoresStop?: boolean;
  /** What it takes to obey the stop signal, and the code it then ends with (default: at once, 143). */
  readonly stopTakesMs?: number;
  readonly stopExitCode?: number;
  /** Lines of output, written when it starts. */
  readonly prints?: readonly string[];
  /** It cannot be started: always, or so many times. */
  readonly startFails?: { readonly exitCode: 126 | 127 | 128; readonly message: string; readonly times?: number };
  /** What commands run in it come to; default: exit code 0 at once. One that takes for ever is ended by its timeout. */
  readonly exec?: (command: readonly string[], upMs: number) => FakeExec;
  /** What its server answers after it has run so long; `nothing`: it is silent. Default: that all is well. */
  readonly answers?: (check: NetworkCheck, upMs: number) => NetworkAnswer | 'nothing' | undefined;
  /** The container cannot be created: always, or so many times. */
  readonly createFails?: { readonly message: string; readonly times?: number };
}

/** How a command ends that is run in a container. */
export interface FakeExec {
  readonly exitCode?: number;
  readonly output?: string;
  readonly takesMs?: number;
}

/** What a reference leads to. */
export interface FakeImage {
  /** On the engine from the start. Otherwise it must be pulled. Default true. */
  readonly present?: boolean;
  readonly program?: FakeProgram;
  /** How the registry behaves: refuses so many times, takes so long, has so many bytes. */
  readonly pull?: { readonly failures?: number; readonly takesMs?: number; readonly bytes?: number };
}

interface ImageState {
  readonly image: FakeImage;
  present: boolean;
  pullFailuresLeft: number;
  createFailuresLeft: number;
  startFailuresLeft: number;
}

/** The images of a fake engine and of the registry it pulls from. */
export class FakeImages {
  private readonly images = new Map<string, ImageState>();

  add(reference: string, image: FakeImage): void {
    const { createFails, startFails } = image.program ?? {};
    this.images.set(withTag(reference), {
      image,
      present: image.present ?? true,
      pullFailuresLeft: image.pull?.failures ?? 0,
      createFailuresLeft: createFails ? (createFails.times ?? Infinity) : 0,
      startFailuresLeft: startFails ? (startFails.times ?? Infinity) : 0,
    });
  }

  isPresent(reference: string): boolean {
    return this.images.get(withTag(reference))?.present ?? false;
  }

  /** The program of a container about to be created. Throws `ImageNotPresent`, or the creation failure that is due. */
  programFor(reference: string): FakeProgram {
    const state = this.images.get(withTag(reference));
    if (state?.present !== true) throw new RuntimeError('ImageNotPresent', `no such image: ${reference}`);
    if (state.createFailuresLeft > 0) {
      state.createFailuresLeft -= 1;
      throw new RuntimeError('CreateFailed', state.image.program?.createFails?.message ?? '');
    }
    return state.image.program ?? {};
  }

  /** The start failure that is due, if any. */
  nextStartFailure(reference: string): FakeProgram['startFails'] {
    const state = this.images.get(withTag(reference));
    if (state === undefined || state.startFailuresLeft === 0) return undefined;
    state.startFailuresLeft -= 1;
    return state.image.program?.startFails;
  }

  /** What the registry answers: how long the transfer takes and how large it is. Throws `PullFailed`. */
  requestPull(reference: string): { readonly takesMs: number; readonly bytes: number } {
    const state = this.images.get(withTag(reference));
    if (state === undefined) throw new RuntimeError('PullFailed', `manifest for ${reference} not found`);
    if (state.pullFailuresLeft > 0) {
      state.pullFailuresLeft -= 1;
      throw new RuntimeError('PullFailed', `pull ${reference}: connection refused`);
    }
    return { takesMs: state.image.pull?.takesMs ?? 0, bytes: state.image.pull?.bytes ?? 1_000 };
  }

  completePull(reference: string): void {
    const state = this.images.get(withTag(reference));
    if (state !== undefined) state.present = true;
  }
}

function withTag(reference: string): string {
  return /[:@][^/]*$/.test(reference) ? reference : `${reference}:latest`;
}

/** Deterministic and different for every reference. */
export function fakeImageId(reference: string): string {
  return `sha256:${withTag(reference)}`;
}

import type { IdSource } from '#domain';

/** Bytes that are the same in every run with the same ids: for simulations, and never for a secret. */
export const seededBytes =
  (ids: IdSource) =>
  (size: number): Uint8Array =>
    Uint8Array.from({ length: size }, () => Math.floor(ids.random() * 256));

import { randomBytes } from 'node:crypto';

/** A value that occurs nowhere by chance, and all the forms in which it could be found where it must not be. */
export interface Planted {
  readonly value: string;
  /** In clear, in base64 at each of the three alignments, and in hex. */
  readonly forms: readonly string[];
}

export function plant(): Planted {
  const value = `planted-${randomBytes(12).toString('hex')}`;
  const aligned = ['', 'x', 'xy'].map((before) => {
    const text = Buffer.from(`${before}${value}`).toString('base64');
    // What the neighbours have a part in is left out: it differs with them.
    return text.slice(before.length === 0 ? 0 : 4, -4);
  });
  return { value, forms: [value, ...aligned, Buffer.from(value).toString('hex')] };
}

/** The forms of a planted value that a text holds. */
export const foundIn = ({ forms }: Planted, text: string): string[] => forms.filter((form) => text.includes(form));

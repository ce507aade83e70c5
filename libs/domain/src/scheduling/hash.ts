/**
 * A well-mixed unsigned 32-bit hash of a text's UTF-16 code units: FNV-1a with MurmurHash3's finish, without which names that
 * differ in their last letter only stay neighbours. It decides ties between nodes, and a placement must come out the same
 * when it is replayed years later: it never changes.
 */
export function hash32(text: string, seed = 0): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Sixteen hexadecimal digits that tell two values apart; a name, and no defence against anyone. */
export function fingerprint(text: string): string {
  const word = (seed: number): string => hash32(text, seed).toString(16).padStart(8, '0');
  return word(0) + word(0x9e3779b9);
}

/**
 * FNV-1a over the UTF-16 code units of a text, 64 bits as 16 hex digits: a stable name for a value, and no defence against
 * anyone. Two 32-bit lanes with different offsets, because JavaScript's integers are exact to 53 bits only.
 */
export function stableHash(text: string): string {
  let low = 0x811c9dc5;
  let high = 0xcbf29ce4;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ (unit + index), 0x01000193);
  }
  return hex(high) + hex(low);
}

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');

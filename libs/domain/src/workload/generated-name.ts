/** Letters of generated names: no vowels and nothing that looks like one, so that no words appear. Source: apimachinery, `util/rand`. */
const NAME_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;
/** Names longer than this leave no room for the suffix in 63 characters. Source: apiserver, `names.SimpleNameGenerator`. */
const LONGEST_BASE = 58;

/** A name for `generateName`; `random` gives numbers in [0, 1). */
export function generatedName(generateName: string, random: () => number): string {
  let name = generateName.slice(0, LONGEST_BASE);
  for (let count = 0; count < SUFFIX_LENGTH; count += 1) {
    name += NAME_LETTERS.charAt(Math.floor(random() * NAME_LETTERS.length));
  }
  return name;
}

/** Hexadecimal digits as letters that may stand in a name. Source: apimachinery, `rand.SafeEncodeString`. */
export const safeEncoded = (hexadecimal: string): string =>
  Array.from(hexadecimal, (digit) => NAME_LETTERS.charAt(parseInt(digit, 16))).join('');

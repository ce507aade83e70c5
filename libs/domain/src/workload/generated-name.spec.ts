import { describe, expect, it } from '@jest/globals';
import { generatedName } from './generated-name.js';

describe('generatedName', () => {
  it('ends in five letters that make no words', () => {
    const draws = [0, 0.5, 0.999, 0.2, 0.7];
    expect(generatedName('web-', () => draws.shift() ?? 0)).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });

  it('stays within the length of a label', () => {
    expect(generatedName('x'.repeat(80), () => 0)).toHaveLength(63);
  });
});

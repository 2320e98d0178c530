import { randomFillSync } from 'node:crypto';

const words = new Uint32Array(256);
let used: number = words.length;

/** 32 random bits, from the system's source. They are made many at a time: the call costs more than they do. */
export function randomWord(): number {
  if (used === words.length) {
    randomFillSync(words);
    used = 0;
  }
  const word = words[used] ?? 0;
  used += 1;
  return word;
}

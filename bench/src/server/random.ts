/** Numbers from 0 to 1 that are the same for the same seed (mulberry32), so that the server's answers do not differ between runs. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Lower-case words with exactly `length` characters. */
export function words(next: () => number, length: number): string {
  let text = '';
  while (text.length < length) {
    const letters = 2 + Math.floor(next() * 8);
    for (let letter = 0; letter < letters; letter += 1) text += String.fromCharCode(97 + Math.floor(next() * 26));
    text += ' ';
  }
  return text.slice(0, length);
}

/** Texts up to this length are read whole; of longer ones at most as many characters, spread evenly. */
const maxSamples = 64;

/** A small number that texts seldom share, at the price of a few of their characters. */
export function sampleHash(text: string): number {
  let mixed = mixHash(initialHash, text.length);
  const step = Math.max(1, Math.ceil(text.length / maxSamples));
  for (let at = 0; at < text.length; at += step) mixed = mixHash(mixed, text.charCodeAt(at));
  return mixed;
}

/** One round of FNV-1a, on 32 bits. */
export function mixHash(signature: number, value: number): number {
  return Math.imul(signature ^ value, 16_777_619);
}

/** What FNV begins with. */
const initialHash = 0x811c9dc5 | 0;

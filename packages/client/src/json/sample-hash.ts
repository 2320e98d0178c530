import { maxSamples } from '../base/bounds.js';

/** A hash of a text, from a sample of its characters. */
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

/** The initial value of FNV-1a. */
const initialHash = 0x811c9dc5 | 0;

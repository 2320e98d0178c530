import { createHash } from 'node:crypto';
import type { Script } from './redis-store.js';

/** A script with its SHA-1 digest, by which Redis finds it again. */
export function scriptOf(text: string): Script {
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}

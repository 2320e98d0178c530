import { createHash } from 'node:crypto';
import type { Script } from './store.js';

/** A script under the name by which Redis remembers it. */
export function scriptOf(text: string): Script {
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}

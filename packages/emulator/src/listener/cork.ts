import type { Duplex } from 'node:stream';

/**
 * Lets what is written to a connection in one moment leave in one write: to be called before each of them. Nothing waits for a later
 * moment, since a microtask runs before anything else does. Taking this out costs a third of `npm run bench:emulator`, row `chains`.
 */
export function corkUntilMicrotask(tcp: Duplex): () => void {
  let held = false;
  const release = (): void => {
    held = false;
    tcp.uncork();
  };
  return () => {
    if (held) return;
    held = true;
    tcp.cork();
    queueMicrotask(release);
  };
}

import type { ReplayMode } from './cursor.js';

/** `replay` of `startEmulator`. */
export interface ReplayOptions {
  /** A file that `turnwire record` or `startRecorder` wrote. */
  readonly file: string;
  /** Of a recording of several upstreams: the name of the one to stand for. @default all of them, as if they were one */
  readonly upstream?: string | undefined;
  /**
   * `strict`: a request that is not the recorded one is answered with status 400 (on a socket: an error frame), code
   * `replay_mismatch`, and a message that says what was expected, what came, and where they first differ. `loose`: the next
   * recorded answer, whatever was asked. @default 'strict'
   */
  readonly mode?: ReplayMode | undefined;
  /**
   * Told of a request that is not the recorded one, in a sentence with the first place at which they differ: with `loose` of each, with
   * `strict` of the first, which stays the answer until a request is as recorded again. @default nobody
   */
  readonly onDifference?: ((message: string) => void) | undefined;
  /** As it was, at once, or so many times as fast. @default 'recorded' */
  readonly timing?: 'recorded' | 'at-once' | number | undefined;
}

import type { ReplayMode } from './cursor.js';

/** `replay` of `startEmulator`. */
export interface ReplayOptions {
  /** A file that `turnwire record` or `startRecorder` wrote. */
  readonly file: string;
  /**
   * `strict`: a request that is not the recorded one is answered with status 400 (on a socket: an error frame), code
   * `replay_mismatch`, and a message that says what was expected, what came, and where they first differ. `loose`: the next
   * recorded answer, whatever was asked. @default 'strict'
   */
  readonly mode?: ReplayMode | undefined;
  /** As it was, at once, or so many times as fast. @default 'recorded' */
  readonly timing?: 'recorded' | 'at-once' | number | undefined;
}

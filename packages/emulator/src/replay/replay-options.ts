export type ReplayMode = 'strict' | 'loose';

/** The option `replay` of `startEmulator`. */
export interface ReplayOptions {
  /** The path of a recording that `turnwire record` or `startRecorder` wrote. */
  readonly file: string;
  /** The name of the upstream to replay, for a recording of several. @default all of them, as if they were one */
  readonly upstream?: string | undefined;
  /**
   * `strict`: a request that is not the recorded one is answered with status 400 (on a socket: an error frame) and the code
   * `replay_mismatch`; the message names the first difference. `loose`: a request gets the next recorded answer, whatever its contents are.
   * @default 'strict'
   */
  readonly mode?: ReplayMode | undefined;
  /**
   * Called with a sentence about a request that is not the recorded one, which names the first difference. With `loose` it is called for each
   * such request, with `strict` for the first one until a request equals the recorded one again. @default none
   */
  readonly onDifference?: ((message: string) => void) | undefined;
  /** The times at which answers are sent: as recorded, all at once, or this many times as fast as recorded. @default 'recorded' */
  readonly timing?: 'recorded' | 'at-once' | number | undefined;
}

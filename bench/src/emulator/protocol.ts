/** The kinds of servers in the comparison. */
export type Kind = 'turnwire' | 'aimock' | 'floor';

/** The settings of the server that a process starts. */
export interface Setup {
  readonly kind: Kind;
  /** The file of an emulator's build to import. */
  readonly module: string | undefined;
  /** The text of each answer; undefined: the emulator repeats the input. */
  readonly text: string | undefined;
  /** Milliseconds between two events of an answer; 0: all events at once. */
  readonly everyMs: number;
}

export interface Usage {
  /** CPU time in microseconds, user and system, since the process began. */
  readonly cpuUs: number;
  /** The largest memory of the process, in MiB. */
  readonly peakMb: number;
}

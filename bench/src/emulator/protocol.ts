/** The servers that are compared, by what they are. */
export type Kind = 'turnwire' | 'aimock' | 'floor';

/** The server that a process is told to start. */
export interface Setup {
  readonly kind: Kind;
  /** Of an emulator: the file of its build that is imported. */
  readonly module: string | undefined;
  /** The text of each answer; undefined: the emulator repeats the input. */
  readonly text: string | undefined;
  /** Milliseconds between two events of an answer; 0: all at once. */
  readonly everyMs: number;
}

export interface Usage {
  /** Microseconds, user and system, since the process began. */
  readonly cpuUs: number;
  /** The most memory that it has had, in MiB. */
  readonly peakMb: number;
}

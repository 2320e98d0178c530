import type { Readable, Writable } from 'node:stream';

/** The parts of the process that a command may use. A test can pass its own. */
export interface Io {
  /** The arguments without the paths of Node and of the program. */
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  /** The working directory. */
  cwd: string;
  stdin: Readable & { isTTY?: boolean; setRawMode?: (raw: boolean) => unknown };
  stdout: Output;
  stderr: Output;
  /** Calls `listener` at each `Signal` until the returned function is called. Without a listener they end the process. */
  onSignal: (listener: (signal: Signal) => void) => () => void;
}

/** `isFile`: true for a file, which nobody reads while it is written. */
export type Output = Writable & { isTTY?: boolean; isFile?: boolean; columns?: number; rows?: number };

/** SIGINT is Ctrl-C, SIGTERM a request to end, SIGHUP a closed terminal. */
export type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

import type { Readable, Writable } from 'node:stream';

/** Everything a command may touch of the process it runs in, so that a test can be one. */
export interface Io {
  /** Without the names of Node and of the program. */
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

/** `isFile`: nobody reads it while it is written. */
export type Output = Writable & { isTTY?: boolean; isFile?: boolean; columns?: number; rows?: number };

/** Ctrl-C; a request to end; the terminal was closed. */
export type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

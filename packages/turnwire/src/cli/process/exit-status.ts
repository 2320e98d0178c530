import type { Signal } from './io.js';

/** The exit statuses of all commands; `turnwire --help` and docs/cli.md list them. */
export const exitStatus = {
  ok: 0,
  /** The command began and did not succeed: a turn failed, or the transcripts of a demo differ. */
  failed: 1,
  /** The command could not begin: a wrong option, a wrong file, a missing variable. */
  usage: 2,
  /** The reader of the output has closed it (SIGPIPE, as shells number it). */
  pipe: 141,
} as const;

/** The status of a command that a signal ended, as shells number it: 130 for Ctrl-C. */
export function signalStatus(signal: Signal): number {
  return signalStatuses[signal];
}

const signalStatuses: Readonly<Record<Signal, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

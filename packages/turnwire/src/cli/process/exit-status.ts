import type { Signal } from './io.js';

/** With what a command ends; `turnwire --help` and docs/cli.md list them. */
export const exitStatus = {
  ok: 0,
  /** It began and did not succeed: a turn that failed, a demo whose transcripts differ. */
  failed: 1,
  /** It could not begin: a wrong option, a wrong file, a missing variable. */
  usage: 2,
  /** Whoever read the output has stopped reading it (SIGPIPE, as shells number it). */
  pipe: 141,
} as const;

/** Ended by a signal, as shells number it: 130 for Ctrl-C. */
export function signalStatus(signal: Signal): number {
  return signalStatuses[signal];
}

const signalStatuses: Readonly<Record<Signal, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

import type { Approver } from '../../agent/calls/approval.js';
import type { ToolsetOptions } from '../../agent/tools/toolset.js';
import type { Interrupts } from '../process/interrupts.js';
import type { Io } from '../process/io.js';
import { approverBy } from './approval-question.js';
import { ask, discardTyped } from './prompt.js';
import { printable, Printer } from '../process/terminal.js';

/** The user at the terminal, as an agent meets them. */
export interface User {
  approver: Approver;
  /** Undefined where there is nobody to ask. */
  askUser: ToolsetOptions['askUser'];
}

/** The user of a run; where the terminal is missing, or needed for something else, nobody. */
export function userAt(io: Io, { listening, interrupts }: { listening: boolean; interrupts: Interrupts }): User {
  if (!listening) {
    const approve = (): never => {
      throw new Error(
        'there is nobody to ask; start turnwire run at a terminal, or with --yolo to run all tools without asking',
      );
    };
    return { approver: { approve }, askUser: undefined };
  }
  // One question at a time: two agents may want to ask.
  let last: Promise<unknown> = Promise.resolve();
  const put = (text: string, label: string, signal: AbortSignal): Promise<string | undefined> => {
    const next = last.then(async () => {
      if (signal.aborted) return undefined;
      await discardTyped(io);
      return ask(io, `${text}\n${label}`, { signal, onInterrupt: () => interrupts.interrupt('SIGINT') });
    });
    last = next.catch(() => undefined);
    return next;
  };
  return {
    approver: approverBy(put, new Printer(io.stderr, io.env)),
    askUser: (text, { signal }) => put(printable(text), '? ', signal),
  };
}

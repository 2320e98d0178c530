import type { Approver } from '../../agent/calls/approval.js';
import type { ToolsetOptions } from '../../agent/tools/toolset.js';
import type { Interrupts } from '../process/interrupts.js';
import type { Io } from '../process/io.js';
import { approverBy } from './approval-question.js';
import { ask, discardTyped } from './prompt.js';
import { printable, Printer } from '../process/terminal.js';

/** The functions through which an agent asks the user. */
export interface User {
  approver: Approver;
  /** undefined where no user can be asked. */
  askUser: ToolsetOptions['askUser'];
}

/** The user of a run. Without a terminal, or where the terminal is used otherwise, no user can be asked. */
export function userAt(io: Io, { listening, interrupts }: { listening: boolean; interrupts: Interrupts }): User {
  if (!listening) {
    const approve: Approver['approve'] = (_call, { fixed }) => {
      throw new Error(
        fixed
          ? 'no user can be asked, and neither --yolo nor a rule answers this question; start turnwire run at a terminal'
          : 'no user can be asked; start turnwire run at a terminal, or with --yolo to run all tools without asking',
      );
    };
    return { approver: { approve }, askUser: undefined };
  }
  // Questions are asked one after another, since two agents may ask at once.
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

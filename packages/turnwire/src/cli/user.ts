import type { Answer, Approver } from '../agent/approval.js';
import type { ToolsetOptions } from '../agent/tools/toolset.js';
import type { Interrupts } from './interrupts.js';
import type { Io } from './io.js';
import { ask } from './prompt.js';
import { question } from './run-view.js';
import { printable, Printer } from './terminal.js';

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
  const put = (text: string, signal: AbortSignal): Promise<string | undefined> => {
    const next = last.then(() => {
      if (signal.aborted) return undefined;
      return ask(io, text, { signal, onInterrupt: () => interrupts.interrupt('SIGINT') });
    });
    last = next.catch(() => undefined);
    return next;
  };
  return {
    approver: {
      approve: async (call, { signal, detail }) => {
        const answer = await put(question(new Printer(io.stderr, io.env), call, detail).join('\n'), signal);
        return answers[answer?.trim().toLowerCase() ?? ''] ?? 'no';
      },
    },
    askUser: (text, { signal }) => put(`${printable(text)}\n? `, signal),
  };
}

export const answers: Readonly<Record<string, Answer>> = { y: 'yes', yes: 'yes', a: 'always', always: 'always' };

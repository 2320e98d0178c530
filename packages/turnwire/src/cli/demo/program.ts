import type { Tool } from '../../agent/tools/tool.js';

/** Where a program finds the API. */
export interface Endpoint {
  /** The API's base URL. */
  url: string;
  /** The authority of its certificate (PEM). */
  ca: string;
}

/** What a program of the demo works on. */
export interface ProgramOptions {
  instructions: string;
  tools: readonly Tool[];
  question: string;
  signal: AbortSignal;
  onTurn: (turn: number) => void;
}

/** A tool loop that sends its whole history with each turn, ready to begin. */
export interface Program {
  run(options: ProgramOptions): Promise<LoopResult>;
  close(): Promise<void>;
}

/** One turn of a loop; times in milliseconds. */
export interface LoopTurn {
  /** From the beginning of the loop to the request. */
  beganMs: number;
  /** From the request to the first event. */
  firstEventMs: number;
  /** From the beginning of the loop to the end of the answer. */
  endedMs: number;
  /** How turnwire sent the turn, as the headers of its answer say; null with another fetch, which sends all. */
  plan: string | null;
}

/** What a loop came to. */
export interface LoopResult {
  turns: readonly LoopTurn[];
  /** All items of the conversation. */
  history: readonly Item[];
}

export type Item = Readonly<Record<string, unknown>> & { type?: string };

/** A call of a tool, as the model asked for it. */
export interface Call {
  name: string;
  arguments: string;
  call_id: string;
}

/** What every turn sends beside the history. */
export function requestOf({ instructions, tools }: Pick<ProgramOptions, 'instructions' | 'tools'>): object {
  return {
    model: 'scripted',
    instructions,
    tools: tools.map(({ name, description, parameters }) => ({ type: 'function', name, description, parameters })),
  };
}

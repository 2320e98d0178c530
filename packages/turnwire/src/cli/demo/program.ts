import type { Tool } from '../../agent/tools/tool.js';

/** The address at which a program reaches the API. */
export interface Endpoint {
  /** The base URL of the API. */
  url: string;
  /** The certificate authority of its certificate (PEM). */
  ca: string;
}

/** The input of a program: question, instructions and tools. */
export interface ProgramOptions {
  instructions: string;
  tools: readonly Tool[];
  question: string;
  signal: AbortSignal;
  onTurn: (turn: number) => void;
}

/** A tool loop that sends its whole history with each turn. */
export interface Program {
  run(options: ProgramOptions): Promise<LoopResult>;
  close(): Promise<void>;
}

/** One turn of a loop; times in milliseconds. */
export interface LoopTurn {
  /** The time from the beginning of the loop to the request. */
  beganMs: number;
  /** The time from the request to the first event. */
  firstEventMs: number;
  /** The time from the beginning of the loop to the end of the answer. */
  endedMs: number;
  /** The plan by which turnwire sent the turn, out of the headers of its answer; null with any other fetch, which sends everything. */
  plan: string | null;
}

/** The result of a loop. */
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

/** The fields that every turn sends besides the history. */
export function requestOf({ instructions, tools }: Pick<ProgramOptions, 'instructions' | 'tools'>): object {
  return {
    model: 'scripted',
    instructions,
    tools: tools.map(({ name, description, parameters }) => ({ type: 'function', name, description, parameters })),
  };
}

import type { ToolCall } from '../events.js';
import type { Preview } from '../tools/tool.js';

/** `always` is a yes that also holds for further calls of this tool by this agent in this session. A no may have a reason, which the model is told. */
export type Answer = 'yes' | 'no' | 'always' | { no: string };

/**
 * Who decides about a call that may change something. With `yolo` such calls run without a question; with `yolo` and an approver, the approver is asked only
 * where a hook demands it.
 */
export type Approval = 'yolo' | { yolo: Approver } | Approver;

export interface Approver {
  /**
   * Shows the call and waits for an answer, as long as the user takes. `signal` fires when the run is over. `detail` is the text that will run, where the
   * arguments do not show it.
   */
  approve(call: ToolCall, options: Question): Answer | Promise<Answer>;
}

export interface Question {
  signal: AbortSignal;
  /** The name of the agent that makes the call. */
  agent: string;
  /** The effect of the call in a form for people; undefined where its arguments show it. */
  preview: Preview | undefined;
  detail: string | undefined;
  /** The reason for the question, where it is not only that the tool may change something. */
  reason: string | undefined;
  /** True where the user alone can answer: neither `yolo` nor a rule does. */
  fixed: boolean;
}

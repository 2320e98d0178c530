import type { ToolCall } from '../events.js';
import type { Preview } from '../tools/tool.js';

/** `always` is yes, and no further question for this tool of this agent in this session. A no may have a reason, which the model is told. */
export type Answer = 'yes' | 'no' | 'always' | { no: string };

/** Who is asked before a tool runs that is not read-only. `yolo` asks nobody; with an approver, only for what a hook wants to be asked for. */
export type Approval = 'yolo' | { yolo: Approver } | Approver;

export interface Approver {
  /**
   * Shows the call and waits for an answer. It may take as long as the user takes; `signal` fires when the run is over. `detail` is what runs,
   * where the call itself does not say it.
   */
  approve(call: ToolCall, options: Question): Answer | Promise<Answer>;
}

export interface Question {
  signal: AbortSignal;
  /** The name of the one that makes the call. */
  agent: string;
  /** What the call would do, as people read it; undefined: its arguments say it. */
  preview: Preview | undefined;
  detail: string | undefined;
  /** Why it is asked, where that is more than that the tool may change something. */
  reason: string | undefined;
}

import type { ToolCall } from './events.js';
import type { Tool } from './tools/tool.js';

/** `always` is yes, and no further question for this tool in this session. */
export type Answer = 'yes' | 'no' | 'always';

/** Who is asked before a tool runs that is not read-only. `yolo` asks nobody. */
export type Approval = 'yolo' | Approver;

export interface Approver {
  /** Shows the call and waits for an answer. It may take as long as the user takes; `signal` fires when the run is over. */
  approve(call: ToolCall, options: { signal: AbortSignal }): Answer | Promise<Answer>;
}

/** The answers of one session, kept until it ends. */
export class Permissions {
  readonly #approval: Approval;
  readonly #granted = new Set<string>();

  constructor(approval: Approval) {
    this.#approval = approval;
  }

  /**
   * Who has to be asked before this tool may run; undefined if nobody. The order is docker-agent's: yolo, what the session has
   * granted, (the rules of the file, not served yet,) what only reads; all else asks.
   */
  asks(tool: Tool): Approver | undefined {
    if (this.#approval === 'yolo' || this.#granted.has(tool.name) || tool.readOnly) return undefined;
    return this.#approval;
  }

  /** Notes an answer; true if the call may run. Anything but a yes is a no. */
  allows(tool: Tool, answer: Answer): boolean {
    if (answer === 'always') this.#granted.add(tool.name);
    return answer === 'always' || answer === 'yes';
  }
}

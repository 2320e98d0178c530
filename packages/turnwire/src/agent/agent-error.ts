/** Thrown where a run ends for a reason of its own. A failure of the transport is thrown as the client's `TurnwireError`. */
export class AgentError extends Error {
  readonly code:
    | 'incomplete'
    | 'repeated_calls'
    | 'max_turns'
    | 'hook_blocked'
    | 'budget_exceeded'
    | 'compaction'
    | 'unknown_agent'
    | 'abandoned'
    | 'already_read'
    | 'busy';

  constructor(code: AgentError['code'], message: string) {
    super(message);
    this.name = 'AgentError';
    this.code = code;
  }
}

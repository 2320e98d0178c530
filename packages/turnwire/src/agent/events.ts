/**
 * The events of a run. They are the lines of `turnwire run --json`: each is one JSON object. Names are docker-agent's where it has one, and fields are spelt
 * as the API spells its own. New types and new fields may be added.
 */
export type AgentEvent =
  /** The prompt of the run. With `queued`: words of the user during the run, which the next turn is sent. */
  | { type: 'user_message'; message: string; queued?: true }
  | {
      type: 'stream_started';
      agent: string;
      model: string;
      /** The session that this run belongs to, where it is kept. */
      session?: string;
    }
  /**
   * Another agent is at work from now on: it was given a task (`transfer_task`) or the conversation (`handoff`), or its task is done (`return`). Events in
   * between are those of the other agent.
   */
  | { type: 'agent_switching'; from: string; to: string; reason: 'transfer_task' | 'handoff' | 'return' }
  /** A piece of the model's text, refusals included; joined, the pieces of a turn are its text. */
  | { type: 'agent_choice'; content: string }
  /** A piece of the reasoning that the provider shows. */
  | { type: 'agent_choice_reasoning'; content: string }
  /** The model asks for a tool. One `tool_call_response` with the same id follows, unless the run ends first. */
  | { type: 'tool_call'; tool_call: ToolCall }
  /** A hook has changed the arguments of the call: `tool_call` is the call that will run. */
  | { type: 'tool_call_changed'; tool_call: ToolCall; by: string }
  /** The call waits for the user's answer. */
  | { type: 'tool_call_confirmation'; tool_call: ToolCall }
  | { type: 'tool_call_response'; tool_call: ToolCall; outcome: ToolOutcome; response: string; duration_ms: number }
  /** A turn ended with an answer of the model, complete or not. */
  | {
      type: 'turn_finished';
      turn: number;
      response_id: string;
      transport: 'websocket' | 'sse';
      plan: 'full' | 'delta';
      sent_bytes: number;
      first_event_ms: number | undefined;
      /** The reason why the whole history was sent, and not only the new items. */
      plan_reason?: string;
      /** The reason why the turn went over SSE although a WebSocket was wanted. */
      fallback?: string;
    }
  /** The usage of the turn and of the run so far; absent for turns whose provider sends none. */
  | {
      type: 'token_usage';
      usage: TokenUsage;
      total: TokenUsage;
      /** The cost in US dollars, where the file has the prices of the model. */
      cost?: number;
      total_cost?: number;
    }
  /** The turn failed and is tried again with the same model. `partial`: a part of its answer was emitted already, and does not count. */
  | { type: 'turn_retried'; model: string; attempt: number; reason: string; wait_ms: number; partial: boolean }
  /** The turn failed and is tried with another model. */
  | { type: 'model_fallback'; from: string; to: string; reason: string; partial: boolean }
  /** The history was too long for the model, and was replaced by a summary. */
  | { type: 'session_compaction'; items_before: number; items_after: number }
  /** Background work has ended, and the agent is told. */
  | { type: 'recalled'; message: string }
  /** The session has a title. */
  | { type: 'session_title'; title: string }
  /** An agent has written a plan, and waits for the user's opinion. */
  | { type: 'plan_ready'; plan: string; path: string }
  | { type: 'warning'; message: string }
  /** The run failed; `stream_stopped` follows, then the run throws the same error. */
  | { type: 'error'; code: string; message: string; server_code?: string }
  | { type: 'stream_stopped'; reason: StopReason };

export interface ToolCall {
  id: string;
  name: string;
  /** The arguments as the model wrote them, which should be JSON and may not be. */
  arguments: string;
}

/**
 * - `done`: the tool ran; - `failed`: it could not, or ended in an error; - `declined`: the user, a rule or a hook said no;
 * - `interrupted`: the run ended first, and how far the tool got is not known; - `skipped`: it was never begun.
 */
export type ToolOutcome = 'done' | 'failed' | 'declined' | 'interrupted' | 'skipped';

export type StopReason =
  | 'completed'
  | 'incomplete'
  | 'failed'
  | 'aborted'
  | 'repeated_calls'
  | 'max_turns'
  | 'hook_blocked'
  | 'budget_exceeded';

export interface TokenUsage {
  input_tokens: number;
  /** Input tokens that the provider had cached. */
  cached_tokens: number;
  output_tokens: number;
  /** Output tokens that were reasoning. */
  reasoning_tokens: number;
}

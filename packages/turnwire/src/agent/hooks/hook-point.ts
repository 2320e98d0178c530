import type { HookPointName } from '../../config/schema/agents/hooks.js';

/** A point of a run at which the user's hooks run. */
export type HookPoint = HookPointName;

/** A field of `hook_specific_output` that is supported at some points only. */
export type SpecificField = 'permission_decision' | 'updated_input' | 'updated_tool_response' | 'summary';

interface Contract {
  /**
   * The effect of a refusal and of a failure. `fail_closed`: both refuse. `blocks`: a refusal refuses, and a failure does where the file says so (`on_error:
   * block`). `warns`: neither ends anything, and the user is warned. `approves`: everything except an explicit yes refuses; no reason is passed on, because
   * the text under examination may have written it.
   */
  blocks: 'fail_closed' | 'blocks' | 'warns' | 'approves';
  /** True where the model is given a hook's plain text. @default false */
  takesText?: true;
  /** True where the model is given `additional_context`. @default false */
  takesContext?: true;
  /** @default none */
  fields?: readonly SpecificField[];
}

/** docker-agent's contract of each point; where docker-agent's versions differ, the stricter one. */
export const hookPoints: Readonly<Record<HookPoint, Contract>> = {
  worktree_create: { blocks: 'blocks', takesText: true, takesContext: true },
  session_start: { blocks: 'warns', takesText: true, takesContext: true },
  prompt_file_guard: { blocks: 'approves' },
  skill_content_guard: { blocks: 'approves' },
  user_prompt_submit: { blocks: 'blocks', takesText: true, takesContext: true },
  user_followup_submit: { blocks: 'blocks', takesText: true, takesContext: true },
  user_steering_messages_submit: { blocks: 'blocks', takesText: true, takesContext: true },
  turn_start: { blocks: 'warns', takesText: true, takesContext: true },
  before_llm_call: { blocks: 'blocks' },
  after_llm_call: { blocks: 'warns' },
  tool_input_transform: { blocks: 'fail_closed', fields: ['updated_input'] },
  pre_tool_use: { blocks: 'fail_closed', takesContext: true, fields: ['permission_decision', 'updated_input'] },
  tool_guard: { blocks: 'fail_closed', fields: ['permission_decision'] },
  permission_request: { blocks: 'blocks', fields: ['permission_decision'] },
  on_tool_approval_decision: { blocks: 'warns' },
  tool_response_transform: { blocks: 'fail_closed', fields: ['updated_tool_response'] },
  post_tool_use: { blocks: 'blocks', takesText: true, takesContext: true },
  turn_end: { blocks: 'warns' },
  pre_compact: { blocks: 'blocks', takesText: true, takesContext: true },
  before_compaction: { blocks: 'blocks', fields: ['summary'] },
  after_compaction: { blocks: 'warns' },
  on_agent_switch: { blocks: 'warns' },
  subagent_stop: { blocks: 'warns' },
  stop: { blocks: 'warns', takesText: true, takesContext: true },
  on_user_input: { blocks: 'warns' },
  notification: { blocks: 'warns' },
  on_error: { blocks: 'warns' },
  on_max_iterations: { blocks: 'warns' },
  on_session_resume: { blocks: 'warns' },
  session_end: { blocks: 'warns' },
};

/** The input of a hook, besides `hook_event_name`, `cwd`, `session_id` and `agent_name`. */
export interface HookEvent extends Readonly<Record<string, unknown>> {
  tool_input?: unknown;
}

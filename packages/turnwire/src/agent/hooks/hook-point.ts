import type { Hooks } from '../../config/schema/hooks.js';

/** A point of a run at which commands of the user's are run. */
export type HookPoint = keyof Hooks;

interface Contract {
  /**
   * What a hook that says no, or fails, comes to. `fail_closed`: no call runs that was not let through; `stops`: a no ends the run, once all calls of the
   * turn are answered; `warns`: neither ends anything, and the user is told.
   */
  blocks: 'fail_closed' | 'stops' | 'warns';
  /** Whether what a hook prints as plain text is told to the model. */
  takesText: boolean;
  /** Whether `additional_context` is told to the model. */
  takesContext: boolean;
}

/** What docker-agent's contract is at each point that is served; where its versions differ, the stricter one. */
export const hookPoints: Readonly<Record<HookPoint, Contract>> = {
  pre_tool_use: { blocks: 'fail_closed', takesText: false, takesContext: true },
  post_tool_use: { blocks: 'stops', takesText: true, takesContext: true },
  session_start: { blocks: 'warns', takesText: true, takesContext: true },
  session_end: { blocks: 'warns', takesText: false, takesContext: false },
  on_user_input: { blocks: 'warns', takesText: false, takesContext: false },
  stop: { blocks: 'warns', takesText: true, takesContext: true },
  notification: { blocks: 'warns', takesText: false, takesContext: false },
};

/** What a hook is told, besides `hook_event_name`, `cwd`, `session_id` and `agent_name`. */
export interface HookEvent extends Readonly<Record<string, unknown>> {
  tool_input?: unknown;
}

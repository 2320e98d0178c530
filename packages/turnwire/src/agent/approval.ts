import type { PermissionRules } from '../config/schema/permissions.js';
import type { ToolCall } from './events.js';
import type { HookWord } from './hooks/hooks.js';
import { ruleFor } from './permission-rule.js';
import type { Tool } from './tools/tool.js';

/** `always` is yes, and no further question for this tool of this agent in this session. */
export type Answer = 'yes' | 'no' | 'always';

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
  detail: string | undefined;
  /** Why it is asked, where that is more than that the tool may change something. */
  reason: string | undefined;
}

const nobody: Approver = {
  approve() {
    throw new Error('there is nobody to ask');
  },
};

/** What a call needs before it may run. */
export type Need =
  | { kind: 'nothing' }
  | { kind: 'answer'; of: Approver; reason?: string }
  | { kind: 'refused'; rule: string };

const noRules: PermissionRules = { deny: [], allow: [], ask: [] };

/** The rules of the file, and the answers of one session, kept until it ends. */
export class Permissions {
  readonly #approver: Approver;
  readonly #yolo: boolean;
  readonly #rules: PermissionRules;
  readonly #granted = new Set<string>();

  constructor(approval: Approval, rules: PermissionRules = noRules) {
    this.#yolo = approval === 'yolo' || 'yolo' in approval;
    this.#approver = approval === 'yolo' ? nobody : 'yolo' in approval ? approval.yolo : approval;
    this.#rules = rules;
  }

  /**
   * The first of these that says something about the call: what the file denies, yolo, what the session has granted, what the file allows, what
   * it asks for, what only reads; all else asks. It is docker-agent's order, but for one thing: there yolo comes first, and here a rule that
   * says never holds under yolo too. `agent` is the name of the one that makes the call.
   */
  needs(agent: string, tool: Tool, args: unknown): Need {
    const denied = ruleFor(this.#rules.deny, tool, args, 'any_command');
    if (denied !== undefined) return { kind: 'refused', rule: denied.source };
    if (this.#yolo || this.#granted.has(identity(agent, tool))) return { kind: 'nothing' };
    if (ruleFor(this.#rules.allow, tool, args, 'one_command') !== undefined) return { kind: 'nothing' };
    const asked = ruleFor(this.#rules.ask, tool, args, 'any_command') !== undefined;
    return tool.readOnly && !asked ? { kind: 'nothing' } : { kind: 'answer', of: this.#approver };
  }

  /** What a call needs that a hook wants to be asked for, whatever else would let it run. */
  asked({ by, reason }: HookWord): Need {
    return {
      kind: 'answer',
      of: this.#approver,
      reason: `${by} wants it to be asked for${reason === '' ? '' : `: ${reason}`}`,
    };
  }

  /** Notes an answer; true if the call may run. Anything but a yes is a no. */
  allows(agent: string, tool: Tool, answer: Answer): boolean {
    if (answer === 'always') this.#granted.add(identity(agent, tool));
    return answer === 'always' || answer === 'yes';
  }
}

/** What was granted is a tool as it was shown. That of another agent, or of another MCP server, is another one, also where the names are the same. */
function identity(agent: string, { name, alias }: Tool): string {
  return JSON.stringify([agent, alias, name]);
}

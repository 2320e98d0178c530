import type { Usage } from '@turnwire/client';
import type { Agent } from '../../config/agent.js';
import type { Model } from '../../config/models/model.js';
import { AgentError } from '../agent-error.js';
import type { BackgroundTasks } from '../background-tasks.js';
import type { AgentEvent } from '../events.js';
import type { BudgetLedger } from '../limits/budget-ledger.js';
import { ModelChoice } from '../models/model-choice.js';
import type { Permissions } from '../permissions/permissions.js';
import { History, type HistoryOptions } from './history.js';
import { PendingNotices } from './pending-notices.js';
import { Steering } from '../turn/steering.js';
import { hookPoints } from '../hooks/hook-point.js';
import { type HookVerdict, noVerdict } from '../hooks/hook-verdict.js';
import { type HookCall, type HookContext, runHooks } from '../hooks/hooks.js';
import type { HookQuestion } from '../hooks/model-hook.js';
import type { Member } from '../team.js';
import { addedIn } from '../tools/deferred.js';
import type { TurnClient } from '../turn/turn.js';
import type { Totals } from '../turn/usage.js';

/** The state that all conversations of a session share: the one with the user, and those of agents with a task. */
export interface SessionScope {
  members: Map<string, Member>;
  /** The agents whose instructions have been filled with the results of tools. */
  instructed: Set<string>;
  clientFor: (model: Model) => TurnClient;
  permissions: Permissions;
  /** Asks the user a question that is not about a call. @default the user is not asked */
  askUser?: ((question: string, options: { signal: AbortSignal }) => Promise<string | undefined>) | undefined;
  /** The surroundings in which the user's hooks run; undefined: they do not run. */
  hooksIn: HookContext | undefined;
  /** Asks a model for a hook of an agent. @default no model is asked, and the hook fails */
  askForHook?: ((agent: Agent, question: HookQuestion) => Promise<string>) | undefined;
  /** The session id that hooks of the conversation with the user are told. */
  sessionId: string;
  store: boolean | undefined;
  totals: Totals;
  /** The budgets of the file, and what is left of them. */
  ledger: BudgetLedger;
  background: BackgroundTasks;
  /** Events of work beside the run, which are passed on with those of the run. */
  sideEvents: AgentEvent[];
}

/** A call of a conversation's hooks. */
export interface ConversationHook extends HookCall {
  /** The agent whose hooks run. @default the agent at work */
  agent?: string | undefined;
}

/** A history, and the agent that works on it. */
export class Conversation {
  readonly scope: SessionScope;
  readonly history: History;
  /** The id that hooks are told. */
  readonly id: string;
  /** The number of agents that gave tasks to one another down to this conversation. */
  readonly depth: number;
  /** What the user says during a turn. A conversation for a task gets none of it. */
  readonly steering = new Steering();
  /** The deferred tools that the model has added. */
  readonly added: Set<string>;
  /** The usage of the last turn. */
  usage: Usage | null | undefined;
  /** Background work whose end the agent will be told of. */
  readonly notices = new PendingNotices();
  readonly #choices = new Map<string, ModelChoice>();
  readonly #as: Member | undefined;
  #active: string;
  #ended: AgentError | undefined;
  /** The last output of hooks before a turn. */
  #told = '';

  constructor(
    scope: SessionScope,
    agent: string,
    { depth = 0, as, id = scope.sessionId, ...kept }: ConversationOptions = {},
  ) {
    this.scope = scope;
    this.id = id;
    this.#as = as;
    this.history = new History(kept);
    this.added = addedIn(this.history.items);
    this.depth = depth;
    this.#active = agent;
  }

  /** The agent at work, with its tools and instructions. */
  get member(): Member {
    const member = this.#as?.agent.name === this.#active ? this.#as : this.scope.members.get(this.#active);
    if (member === undefined)
      throw new AgentError('unknown_agent', `there is no agent ${this.#active} in this session`);
    return member;
  }

  get agent(): Agent {
    return this.member.agent;
  }

  handOff(to: string): void {
    this.history.handOff(to);
    this.#active = to;
  }

  /** Makes the agent use another model from its next turn on. */
  useModel(model: Model): void {
    const { member } = this;
    this.scope.members.set(this.#active, { ...member, agent: { ...member.agent, model } });
    this.#choices.delete(this.#active);
  }

  /** The model choice of the agent at work. It is kept from turn to turn, with its memory of models that failed. */
  get choice(): ModelChoice {
    const { agent } = this;
    let choice = this.#choices.get(agent.name);
    if (choice === undefined) this.#choices.set(agent.name, (choice = new ModelChoice(agent)));
    return choice;
  }

  /** Runs the hooks of an agent for a point: those of the agent at work, or of the named one. */
  async hook({ event, agent, ...call }: ConversationHook): Promise<HookVerdict> {
    const { hooksIn, members, askForHook } = this.scope;
    const asked = members.get(agent ?? this.#active)?.agent ?? this.agent;
    const { hooks, name } = asked;
    if (hooksIn === undefined) {
      const { blocks } = hookPoints[call.point];
      const guarded = (blocks === 'fail_closed' || blocks === 'approves') && hooks[call.point].length > 0;
      const blocked = guarded ? { by: call.point, reason: 'its hooks cannot be run here' } : undefined;
      return { ...noVerdict(event.tool_input), blocked };
    }
    const ask = askForHook === undefined ? undefined : (question: HookQuestion) => askForHook(asked, question);
    return runHooks(
      hooks,
      { ...call, event: { session_id: this.id, agent_name: name, ...event } },
      { ...hooksIn, ask },
    );
  }

  /** The run ends once all calls of the turn are answered, because a call within a call has ended it. */
  end(error: unknown): void {
    if (error instanceof AgentError) this.#ended ??= error;
  }

  /** @throws AgentError what has ended the run */
  throwIfEnded(): void {
    const ended = this.#ended;
    this.#ended = undefined;
    if (ended !== undefined) throw ended;
  }

  /** Adds the output of hooks to the model's next turn. */
  addContext(context: readonly string[]): void {
    if (context.length > 0) this.history.add({ type: 'message', role: 'developer', content: context.join('\n\n') });
  }

  /**
   * Adds the output of hooks before a turn, unless it is the same as the last time. Earlier output stays in the history: to remove it would make the next
   * turns be sent and read in full (docs/continuation.md).
   */
  addChangedContext(context: readonly string[]): void {
    const said = context.join('\n\n');
    if (said !== this.#told) this.addContext(context);
    this.#told = said;
  }
}

export interface ConversationOptions extends HistoryOptions {
  depth?: number;
  /** @default the id of the session */
  id?: string;
  /** The agent's tools and instructions, where they differ in this conversation. @default those of the scope */
  as?: Member | undefined;
}

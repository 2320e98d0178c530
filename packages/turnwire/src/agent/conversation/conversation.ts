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

/** What all conversations of a session have in common: the one with the user, and those of agents that were given tasks. */
export interface SessionScope {
  members: Map<string, Member>;
  /** The agents into whose instructions it has been put what tools return. */
  instructed: Set<string>;
  clientFor: (model: Model) => TurnClient;
  permissions: Permissions;
  /** Asks the user what is no call. @default nobody is asked */
  askUser?: ((question: string, options: { signal: AbortSignal }) => Promise<string | undefined>) | undefined;
  /** Where the user's hooks run; undefined: they do not. */
  hooksIn: HookContext | undefined;
  /** Asks a model for a hook of an agent. @default no model is asked, and the hook fails */
  askForHook?: ((agent: Agent, question: HookQuestion) => Promise<string>) | undefined;
  /** Told to hooks of the conversation with the user. */
  sessionId: string;
  store: boolean | undefined;
  totals: Totals;
  /** What the budgets of the file still allow. */
  ledger: BudgetLedger;
  background: BackgroundTasks;
  /** What happens beside the run, and is told with it. */
  aside: AgentEvent[];
}

/** Hooks that a conversation asks. */
export interface ConversationHook extends HookCall {
  /** Whose hooks. @default those of the agent at work */
  agent?: string | undefined;
}

/** One history, and who works on it. */
export class Conversation {
  readonly scope: SessionScope;
  readonly history: History;
  /** Told to hooks. */
  readonly id: string;
  /** How many agents have given tasks to one another to come here. */
  readonly depth: number;
  /** What the user says meanwhile. Those who were given tasks hear nothing of it. */
  readonly steering = new Steering();
  /** The deferred tools that the model has added. */
  readonly added: Set<string>;
  /** What the last turn used. */
  usage: Usage | null | undefined;
  /** What has been begun, and the agent is told of when it ends. */
  readonly notices = new PendingNotices();
  readonly #choices = new Map<string, ModelChoice>();
  readonly #as: Member | undefined;
  #active: string;
  /** What hooks said last before a turn. */
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

  /** The agent whose turn it is. */
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

  /** The agent goes by another model from its next turn on. */
  useModel(model: Model): void {
    const { member } = this;
    this.scope.members.set(this.#active, { ...member, agent: { ...member.agent, model } });
    this.#choices.delete(this.#active);
  }

  /** Kept from turn to turn, with what it remembers of models that failed. */
  get choice(): ModelChoice {
    const { agent } = this;
    let choice = this.#choices.get(agent.name);
    if (choice === undefined) this.#choices.set(agent.name, (choice = new ModelChoice(agent)));
    return choice;
  }

  /** Runs the hooks that an agent has for a point: the one at work, or the one that is named. */
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

  /** Tells the model what hooks have to say, with its next turn. */
  addContext(context: readonly string[]): void {
    if (context.length > 0) this.history.add({ type: 'message', role: 'developer', content: context.join('\n\n') });
  }

  /**
   * The same, for what is said before each turn: told where it is not what was told last. It stays in the history, because a history of which something
   * is taken out would have to be sent and read in full with every turn (docs/continuation.md).
   */
  addChangedContext(context: readonly string[]): void {
    const said = context.join('\n\n');
    if (said !== this.#told) this.addContext(context);
    this.#told = said;
  }
}

export interface ConversationOptions extends HistoryOptions {
  depth?: number;
  /** @default that of the session */
  id?: string;
  /** How its agent goes about it here, where that is another way than everywhere. @default as the scope has it */
  as?: Member | undefined;
}

import type { Agent } from '../config/agent.js';
import type { Model } from '../config/model.js';
import { AgentError } from './agent-error.js';
import { ModelChoice } from './attempts.js';
import type { Permissions } from './permissions/permissions.js';
import { History, type HistoryOptions } from './history.js';
import { Steering } from './steering.js';
import { type HookCall, type HookSurroundings, type HookVerdict, noVerdict, runHooks } from './hooks/hooks.js';
import type { Member } from './team.js';
import type { TurnClient } from './turn.js';
import type { Totals } from './usage.js';

/** What all conversations of a session have in common: the one with the user, and those of agents that were given tasks. */
export interface Crew {
  members: Map<string, Member>;
  clientFor: (model: Model) => TurnClient;
  permissions: Permissions;
  /** Where the user's hooks run; undefined: they do not. */
  hooksIn: HookSurroundings | undefined;
  /** Told to hooks. */
  sessionId: string;
  store: boolean | undefined;
  totals: Totals;
}

/** One history, and who works on it. */
export class Conversation {
  readonly crew: Crew;
  readonly history: History;
  /** How many agents have given tasks to one another to come here. */
  readonly depth: number;
  /** What the user says meanwhile. Those who were given tasks hear nothing of it. */
  readonly steering = new Steering();
  readonly #choices = new Map<string, ModelChoice>();
  #active: string;

  constructor(crew: Crew, agent: string, { depth = 0, ...kept }: ConversationOptions = {}) {
    this.crew = crew;
    this.history = new History(kept);
    this.depth = depth;
    this.#active = agent;
  }

  /** The agent whose turn it is. */
  get member(): Member {
    const member = this.crew.members.get(this.#active);
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
    this.crew.members.set(this.#active, { ...member, agent: { ...member.agent, model } });
    this.#choices.delete(this.#active);
  }

  /** Kept from turn to turn, with what it remembers of models that failed. */
  get choice(): ModelChoice {
    const { agent } = this;
    let choice = this.#choices.get(agent.name);
    if (choice === undefined) this.#choices.set(agent.name, (choice = new ModelChoice(agent)));
    return choice;
  }

  /** Runs the hooks that the agent at work has for a point. */
  async hook({ event, ...call }: HookCall): Promise<HookVerdict> {
    const { hooksIn, sessionId } = this.crew;
    if (hooksIn === undefined) {
      const guarded = call.point === 'pre_tool_use' && this.agent.hooks.pre_tool_use.length > 0;
      const blocked = guarded ? { by: 'pre_tool_use', reason: 'its hooks cannot be run here' } : undefined;
      return { ...noVerdict(event.tool_input), blocked };
    }
    const told = { session_id: sessionId, agent_name: this.agent.name, ...event };
    return runHooks(this.agent.hooks, { ...call, event: told }, hooksIn);
  }

  /** Tells the model what hooks have to say, with its next turn. */
  addContext(context: readonly string[]): void {
    if (context.length > 0) this.history.add({ type: 'message', role: 'developer', content: context.join('\n\n') });
  }
}

export interface ConversationOptions extends HistoryOptions {
  depth?: number;
}

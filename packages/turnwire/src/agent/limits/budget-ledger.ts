import type { Agent } from '../../config/agent.js';
import type { Budget } from '../../config/budgets.js';
import { AgentError } from '../agent-error.js';
import type { TokenUsage } from '../events.js';

interface Spent {
  tokens: number;
  cost: number;
  ms: number;
}

/** The use of a session's budgets. Agents that name the same budget share it. */
export class BudgetLedger {
  readonly #shared: Budget | undefined;
  readonly #spent = new Map<Budget, Spent>();

  /** @param shared the budget of all agents @param before the part that earlier runs of the session have used */
  constructor(shared: Budget | undefined, before: Partial<Spent> = {}) {
    this.#shared = shared;
    if (shared !== undefined) this.#spent.set(shared, { tokens: 0, cost: 0, ms: 0, ...before });
  }

  tokens(agent: Agent, { input_tokens: input, output_tokens: output }: TokenUsage, cost: number | undefined): void {
    for (const spent of this.#of(agent)) {
      spent.tokens += input + output;
      spent.cost += cost ?? 0;
    }
  }

  time(agent: Agent, ms: number): void {
    for (const spent of this.#of(agent)) spent.ms += ms;
  }

  /** @throws AgentError `budget_exceeded` that names the limit, where a budget of the agent is used up. */
  check(agent: Agent): void {
    for (const budget of this.#budgets(agent)) {
      const { path, maxCost, maxTokens, maxMs } = budget;
      const { tokens, cost, ms } = this.#entry(budget);
      if (maxCost !== undefined && cost >= maxCost)
        throw exceeded(`${path}.max_cost`, `$${cost.toFixed(4)} of $${maxCost.toFixed(4)}`);
      if (maxTokens !== undefined && tokens >= maxTokens)
        throw exceeded(`${path}.max_tokens`, `${tokens} of ${maxTokens} tokens`);
      if (maxMs !== undefined && ms >= maxMs)
        throw exceeded(`${path}.max_time`, `${(ms / 1000).toFixed(1)} of ${maxMs / 1000} s`);
    }
  }

  #budgets({ budgets }: Agent): readonly Budget[] {
    return this.#shared === undefined ? budgets : [this.#shared, ...budgets];
  }

  #of(agent: Agent): Spent[] {
    return this.#budgets(agent).map((budget) => this.#entry(budget));
  }

  #entry(budget: Budget): Spent {
    let spent = this.#spent.get(budget);
    if (spent === undefined) this.#spent.set(budget, (spent = { tokens: 0, cost: 0, ms: 0 }));
    return spent;
  }
}

/** The error of a run that a limit of the file has ended. */
export function exceeded(limit: string, used: string): AgentError {
  return new AgentError('budget_exceeded', `the run was ended, because ${limit} is used up: ${used}`);
}

import type { BudgetDefinition } from './schema/budget.js';

/** A limit on what agents use in a session. */
export interface Budget {
  /** The key of the budget in the file: `budget`, or `budgets.NAME`. */
  path: string;
  maxCost: number | undefined;
  maxTokens: number | undefined;
  maxMs: number | undefined;
}

export function readBudget(path: string, written: BudgetDefinition): Budget {
  return { path, maxCost: written.max_cost, maxTokens: written.max_tokens, maxMs: written.max_time };
}

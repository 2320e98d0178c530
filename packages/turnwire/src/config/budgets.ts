import type { BudgetDefinition } from './schema/budget.js';

/** What agents may use up in a session. */
export interface Budget {
  /** Where it stands in the file: `budget`, or `budgets.NAME`. */
  path: string;
  maxCost: number | undefined;
  maxTokens: number | undefined;
  maxMs: number | undefined;
}

export function readBudget(path: string, written: BudgetDefinition): Budget {
  return { path, maxCost: written.max_cost, maxTokens: written.max_tokens, maxMs: written.max_time };
}

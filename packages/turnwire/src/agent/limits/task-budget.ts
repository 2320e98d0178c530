import type { Model } from '../../config/models/model.js';
import type { TokenUsage } from '../events.js';
import { exceeded } from './budget-ledger.js';

/** The output tokens of each model in the work on one prompt. */
export class TaskBudget {
  readonly #spent = new Map<Model, number>();

  count(model: Model, { output_tokens: output }: TokenUsage): void {
    if (model.taskBudget !== undefined) this.#spent.set(model, (this.#spent.get(model) ?? 0) + output);
  }

  /** @throws AgentError `budget_exceeded` where the model has used up its tokens. */
  check(model: Model): void {
    const spent = this.#spent.get(model) ?? 0;
    if (model.taskBudget !== undefined && spent >= model.taskBudget)
      throw exceeded(`task_budget of ${model.name}`, `${spent} of ${model.taskBudget} tokens`);
  }
}

import { modelsOf } from './models/models-of.js';
import { show } from './file/problem.js';
import type { Agent } from './agent.js';
import type { Budget } from './budgets.js';
import type { Problem } from './file/problem.js';
import type { Path, YamlFile } from './file/yaml-file.js';

/** The problems of models without a cost under a budget of money: their use would never count. */
export function unpricedModels(
  file: YamlFile,
  agents: Iterable<Agent>,
  shared: Budget | undefined,
  pathOf: (budget: Budget) => Path,
): Problem[] {
  const problems = new Map<string, Problem>();
  for (const agent of agents) {
    for (const budget of [...(shared === undefined ? [] : [shared]), ...agent.budgets]) {
      const unpriced =
        budget.maxCost === undefined ? undefined : modelsOf(agent).find(({ cost }) => cost === undefined);
      if (unpriced === undefined) continue;
      const message = `${budget.path}.max_cost cannot be held: nothing says what the model ${show(unpriced.name)} costs; give it a "cost" under "models"`;
      problems.set(message, file.problem(message, [...pathOf(budget), 'max_cost']));
    }
  }
  return [...problems.values()];
}

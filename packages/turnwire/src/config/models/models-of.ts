import type { Agent } from '../agent.js';
import type { Model } from './model.js';

/** All models that an agent may use, each once: its own, its fallbacks, and those that any of them names. */
export function modelsOf({
  model,
  alternates,
  fallback,
  compactionModel,
  hookModels,
  toolsets,
}: Agent): readonly Model[] {
  const named = toolsets.flatMap(({ links }) => [
    ...(links?.model === undefined ? [] : [links.model]),
    ...(links?.choices?.values() ?? []),
  ]);
  const found = new Set<Model>([
    model,
    ...alternates,
    ...fallback.models,
    ...(compactionModel === undefined ? [] : [compactionModel]),
    ...hookModels.values(),
    ...named,
  ]);
  // A `for` loop over a set also visits the values that are added while it runs.
  for (const { links } of found)
    for (const linked of [links.compaction, links.title, ...links.routes.map((route) => route.model)])
      if (linked !== undefined) found.add(linked);
  return [...found];
}

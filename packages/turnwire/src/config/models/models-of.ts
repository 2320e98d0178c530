import type { Agent } from '../agent.js';
import type { Model } from './model.js';

/** All models that an agent may come to speak to, each once: its own, its fallbacks, and what any of them names. */
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
  // A set also visits what is added while it is walked.
  for (const { links } of found)
    for (const linked of [links.compaction, links.title, ...links.routes.map((route) => route.model)])
      if (linked !== undefined) found.add(linked);
  return [...found];
}

import type { Model, Route } from '../../config/models/model.js';

/** A prompt that is less similar than this to every example goes to no route. The similarity of an example with itself is 1. */
const leastLikeness = 0.25;
/** The part of a prompt that is compared, in characters: a long prompt says its subject at the beginning. */
const longestPrompt = 2000;

/**
 * The model for a prompt: that of the route whose example is most similar, by the words that both have; rare words count more. undefined where none is
 * similar.
 */
export function routeOf(prompt: string, routes: readonly Route[]): Model | undefined {
  const examples = routes.flatMap(({ model, examples: texts }) =>
    texts.map((text) => ({ model, words: wordsOf(text) })),
  );
  const weightOf = weights(examples.map(({ words }) => words));
  const asked = wordsOf(prompt.slice(0, longestPrompt));
  let best: { model: Model; likeness: number } | undefined;
  for (const { model, words } of examples) {
    const likeness = cosine(asked, words, weightOf);
    if (likeness >= leastLikeness && likeness > (best?.likeness ?? 0)) best = { model, likeness };
  }
  return best?.model;
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set([...text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)].map(([word]) => stem(word)));
}

/** English words without their commonest endings, so that `writing` and `write` are the same. */
function stem(word: string): string {
  return word.length > 4 ? word.replace(/(?:ing|ed|es|s|e)$/, '') : word;
}

/** The weight of a word: a word that is in many examples weighs little. */
function weights(examples: readonly ReadonlySet<string>[]): (word: string) => number {
  const counts = new Map<string, number>();
  for (const words of examples) for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return (word) => Math.log(1 + examples.length / (counts.get(word) ?? 1));
}

function cosine(a: ReadonlySet<string>, b: ReadonlySet<string>, weightOf: (word: string) => number): number {
  const square = (words: Iterable<string>): number => [...words].reduce((sum, word) => sum + weightOf(word) ** 2, 0);
  const both = square([...a].filter((word) => b.has(word)));
  return both === 0 ? 0 : both / Math.sqrt(square(a) * square(b));
}

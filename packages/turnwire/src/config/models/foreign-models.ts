import { type Problem, show } from '../file/problem.js';
import type { YamlFile } from '../file/yaml-file.js';
import { foreignProvider } from './providers.js';

/**
 * The problems of a file, with one problem for each unsupported provider in place of one for each of its models. That problem lists all places of the
 * provider, and the keys of those models that another provider would not have.
 *
 * @param models the `models` of the file
 * @param own the names under `providers` of the file
 */
export function foreignModelsOnce(
  file: YamlFile,
  models: Readonly<Record<string, unknown>>,
  own: readonly string[],
  problems: readonly Problem[],
): Problem[] {
  const entries = Object.entries(models).flatMap(([name, model]) => {
    const provider = providerOf(model);
    const told = provider === undefined || own.includes(provider) ? undefined : foreignProvider(provider);
    return told === undefined ? [] : [{ within: `models.${name}.`, told, path: ['models', name, 'provider'] }];
  });
  const found = new Map<string, { places: Problem[]; keys: Set<string> }>();
  const of = (told: string) => {
    const known = found.get(told) ?? { places: [], keys: new Set<string>() };
    found.set(told, known);
    return known;
  };
  for (const { told, path } of entries) of(told).places.push(file.problem(told, path));
  const rest = problems.filter((problem) => {
    const entry = entries.find(({ within }) => problem.path.startsWith(within));
    if (entry !== undefined) {
      const [key = ''] = problem.path.slice(entry.within.length).split('.');
      if (problem.message !== entry.told) of(entry.told).keys.add(key);
    } else if (foreignMessage.test(problem.message)) of(problem.message).places.push(problem);
    else return true;
    return false;
  });
  const once = [...found].flatMap(([told, { places, keys }]) => {
    const [first, ...others] = places.sort(byPosition);
    if (first === undefined) return [];
    const without = keys.size === 0 ? '' : `, without ${[...keys].map(show).join(' and ')}, which it may not have`;
    const also = others.map(({ position }) => `${position?.line}:${position?.column}`).join(', ');
    return [{ ...first, message: `${told}${without}${also === '' ? '' : ` (also at ${also})`}` }];
  });
  return [...rest, ...once];
}

const foreignMessage = /^provider "[^"]*" is docker-agent's and not supported: /;

function providerOf(model: unknown): string | undefined {
  const provider = typeof model === 'object' && model !== null && 'provider' in model ? model.provider : undefined;
  return typeof provider === 'string' ? provider : undefined;
}

function byPosition({ position: a }: Problem, { position: b }: Problem): number {
  return (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0);
}

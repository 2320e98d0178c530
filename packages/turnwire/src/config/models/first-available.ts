import { findModel, type Model, type Models } from './model.js';
import { firstAvailableSchema } from '../schema/model.js';
import type { Problem } from '../file/problem.js';
import type { Secrets } from '../secrets/secrets.js';
import type { YamlFile } from '../file/yaml-file.js';

/** The models that `auto` chooses from: it is the first of them whose key is there. */
const automatic: readonly string[] = [
  'openai/gpt-5-mini',
  'xai/grok-4-fast',
  'openrouter/openai/gpt-5-mini',
  'vercel/openai/gpt-5-mini',
];

/**
 * Chooses the model for `auto` and for each entry with `first_available`: the first one of a supported provider whose key is there. Without any key it is the
 * first one of a supported provider, so that the message asks for its key. The choices are added to `chosen`.
 *
 * @param secrets the sources of keys. undefined: every key is taken to be there
 */
export async function chooseModels(
  file: YamlFile,
  written: Readonly<Record<string, unknown>>,
  models: Models & { chosen: Map<string, string> },
  secrets: Secrets | undefined,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(written)) {
    const shape = firstAvailableSchema.safeParse(value);
    if (!shape.success) continue;
    const path = ['models', name, 'first_available'];
    const { chosen, reasons } = await choose(file, shape.data.first_available, models, secrets);
    if (chosen !== undefined) models.chosen.set(name, chosen);
    else problems.push(file.problem(`none of these models can be used: ${reasons.join('; ')}`, path));
  }
  if (namesAuto(file.value) && !models.names.includes('auto')) {
    const { chosen } = await choose(file, automatic, models, secrets);
    if (chosen !== undefined) models.chosen.set('auto', chosen);
  }
  return problems;
}

async function choose(
  file: YamlFile,
  references: readonly string[],
  models: Models,
  secrets: Secrets | undefined,
): Promise<{ chosen: string | undefined; reasons: readonly string[] }> {
  const reasons: string[] = [];
  let first: string | undefined;
  for (const reference of references) {
    const read = findModel(file, reference, [], models);
    if (read === undefined || 'problem' in read) {
      if (read !== undefined) reasons.push(read.problem.message);
      continue;
    }
    first ??= reference;
    if (secrets === undefined || (await hasKey(read.model, secrets))) return { chosen: reference, reasons };
  }
  return { chosen: first, reasons };
}

async function hasKey({ tokenKeys }: Model, secrets: Secrets): Promise<boolean> {
  if (tokenKeys.length === 0) return true;
  for (const name of tokenKeys) {
    // The failure of a source is reported where the key is needed; here it counts as no key.
    const found = await secrets.get(name).catch(() => undefined);
    if (found !== undefined && found.value !== '') return true;
  }
  return false;
}

/** The deepest level at which a model is named. */
const deepest = 8;

function namesAuto(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return value.split(',').some((name) => name.trim() === 'auto');
  if (typeof value !== 'object' || value === null || depth > deepest) return false;
  return Object.values(value).some((inner) => namesAuto(inner, depth + 1));
}

import { Refusal } from '../../base/refusal.js';
import { textField, withParams } from '../create.js';
import type { Json, JsonObject } from '@turnwire/client/relay';
import type { Principal } from '../../upstream/principal.js';
import type { Create } from '../create.js';
import type { IdRegistry } from './id-registry.js';

/**
 * The request with the model's name at the upstream.
 *
 * @throws Refusal for a model that the principal may not use, and for none where it may not use all: a prompt of the upstream can choose any.
 */
export function withPermittedModel(create: Create, { policy }: Principal): Create {
  if (policy === undefined) return create;
  const asked = textField(create.params, 'model');
  if (asked === undefined) {
    if (policy.models === undefined) return create;
    const message = 'model must be the name of a model, a string: this key may use some models alone';
    throw new Refusal(message, { code: 'model_not_named', param: 'model' });
  }
  const model = policy.aliases.get(asked) ?? asked;
  if (!mayUse(policy, asked, model)) throw unknownModel(asked);
  return model === asked ? create : withParams(create, { model });
}

/** A principal may use the model of each of its aliases. */
function mayUse({ models, aliases }: NonNullable<Principal['policy']>, asked: string, model: string): boolean {
  return models === undefined || models.has(model) || aliases.has(asked);
}

export function unknownModel(model: string): Refusal {
  const message = `the model ${JSON.stringify(model.slice(0, 200))} does not exist, or this key may not use it`;
  return new Refusal(message, { status: 404, code: 'model_not_found', param: 'model' });
}

/** @throws Refusal for a request that names an id of another principal: the refusal says that no such id exists. */
export async function checkIds(
  params: JsonObject,
  { id: principal, policy }: Principal,
  registry: IdRegistry,
): Promise<void> {
  // For a key that is passed through, the upstream checks the ids.
  if (policy === undefined) return;
  for (const { id, param, status } of idsIn(params)) {
    if (await registry.isOwn(principal, id)) continue;
    const isResponse = param === 'previous_response_id';
    const name = isResponse ? 'Previous response' : param === 'conversation' ? 'Conversation' : 'Item';
    throw new Refusal(`${name} with id '${id.slice(0, 200)}' not found.`, {
      status,
      code: isResponse ? 'previous_response_not_found' : 'not_found',
      param,
    });
  }
}

interface NamedId {
  id: string;
  param: string;
  status: number;
}

function idsIn(params: JsonObject): NamedId[] {
  const {
    previous_response_id: previous,
    conversation,
    input,
    prompt_cache_options: cache,
    background_options: background,
    items,
  } = params;
  const found: NamedId[] = [];
  const add = (id: Json | undefined, param: string, status = 404): void => {
    if (typeof id === 'string') found.push({ id, param, status });
  };
  add(previous, 'previous_response_id', 400);
  add(typeof conversation === 'string' ? conversation : fieldOf(conversation, 'id'), 'conversation');
  add(fieldOf(cache, 'comparison_response_id'), 'prompt_cache_options.comparison_response_id');
  add(fieldOf(background, 'continuation_id'), 'background_options.continuation_id');
  for (const [name, list] of Object.entries({ input, items }))
    if (Array.isArray(list))
      for (const [index, item] of list.entries())
        if (isReference(item)) add(fieldOf(item, 'id'), `${name}[${index}].id`);
  return found;
}

/** True for an item that stands for a stored one by its id alone. */
function isReference(item: Json): boolean {
  const type = fieldOf(item, 'type');
  const isBare = typeof item === 'object' && item !== null && Object.keys(item).length === 1 && 'id' in item;
  return type === 'item_reference' || isBare;
}

function fieldOf(value: Json | undefined, name: string): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value[name] : undefined;
}

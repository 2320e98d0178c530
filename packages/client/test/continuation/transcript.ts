// The equivalence a second time, in another way than equivalence.ts: both sides are brought into one form, and the forms compared.
import { isDeepStrictEqual } from 'node:util';
import { fresh } from './items.js';
import type { Json, JsonObject } from '../../dist/json/json.js';

/** What the model server has for one item: the forms it gave it out in. */
export type Forms = readonly JsonObject[];

/** Whether a transcript is what the caller says it is. */
export function sameTranscript(held: readonly Forms[], given: readonly JsonObject[]): boolean {
  return (
    held.length === given.length &&
    held.every((forms, index) => forms.some((form) => sameItem(form, given[index] as JsonObject)))
  );
}

function sameItem(held: JsonObject, given: JsonObject): boolean {
  if (given['type'] === 'item_reference') return held['id'] === given['id'];
  const [a, b] = [oneForm(held), oneForm(given)];
  for (const name of ['id', 'status', 'phase']) {
    if (a[name] !== undefined && b[name] !== undefined) continue;
    delete a[name];
    delete b[name];
  }
  return isDeepStrictEqual(a, b);
}

function oneForm(original: JsonObject): JsonObject {
  const item = fresh(original);
  item['type'] ??= 'message';
  delete item['parsed_arguments'];
  if (item['type'] === 'message' && typeof item['content'] === 'string') {
    const type = item['role'] === 'assistant' ? 'output_text' : 'input_text';
    item['content'] = [{ type, text: item['content'] }];
  }
  if (item['type'] === 'message') {
    for (const part of item['content'] as JsonObject[]) {
      delete part['parsed'];
      for (const name of ['annotations', 'logprobs'])
        if ((part[name] as Json[] | undefined)?.length === 0) delete part[name];
    }
  }
  if (item['type'] === 'reasoning') {
    for (const name of ['summary', 'content']) if ((item[name] as Json[] | undefined)?.length === 0) delete item[name];
  }
  // An SDK's own doing: the id is not the server's.
  if (item['type'] === 'function_call' && item['id'] === item['call_id']) delete item['id'];
  if (item['type'] === 'function_call') item['arguments'] = exactly(item['arguments'] as string);
  for (const name of Object.keys(item)) if (item[name] === null) delete item[name];
  return item;
}

/** The value of a JSON text in which each number stands as it is written. */
function exactly(json: string): Json {
  const numbersAsTexts = json.replace(
    /("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g,
    (all, quoted: string | undefined) => quoted ?? `"number ${all}"`,
  );
  return JSON.parse(numbersAsTexts) as Json;
}

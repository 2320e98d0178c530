import type { Question } from './answer.js';
import { isClientCall } from '../wire/client-calls.js';
import type { Context } from '../memory/context.js';
import type { Entry } from './script/script.js';
import { elements } from './script/script-entry.js';
import type { Scope } from './template.js';
import { textOf } from '../wire/transcript.js';
import type { Item } from '../wire/wire.js';

/**
 * The names that the templates of a script can use. The call that an `as` names follows from its place: the k-th call of the n-th model turn is
 * the k-th call of the n-th entry. So nothing is remembered between requests, and the context is searched only for a template that names an
 * earlier call.
 */
export class ConversationScope implements Scope {
  readonly #context: Context;
  readonly #model: string;
  readonly #turn: number;
  readonly #modelTurns: readonly Entry[];
  #named: ReadonlyMap<string, string> | undefined;

  constructor({ request, context }: Question, turn: number, modelTurns: readonly Entry[]) {
    this.#context = context;
    this.#modelTurns = modelTurns;
    this.#model = request.model;
    this.#turn = turn;
  }

  get(name: string): unknown {
    // An `as` takes precedence over `input`, `turn` and `model`; the name of a tool does not.
    const isAlias = this.#modelTurns.some((entry) => aliasesOf(entry).includes(name));
    if (isAlias) return this.#byName().get(name);
    return this.#always().get(name) ?? this.#latestOutput(name);
  }

  names(): Iterable<string> {
    return new Set([...this.#byName().keys(), ...this.#always().keys()]);
  }

  /** The names that a template may use in every turn: `input`, `turn` and `model`. */
  #always(): ReadonlyMap<string, unknown> {
    return new Map<string, unknown>([
      ['input', this.#context.lastUserText],
      ['turn', this.#turn],
      ['model', this.#model],
    ]);
  }

  /** The output of the latest call of the tool with this name. The search goes backwards, because that call is usually near the end. */
  #latestOutput(name: string): string | undefined {
    const outputs = new Map<unknown, Item>();
    for (const item of this.#context.backwards()) {
      const callId = item['call_id'];
      if (isOutput(item) && !outputs.has(callId)) outputs.set(callId, item);
      if (!isClientCall(item) || nameOf(item) !== name) continue;
      const output = outputs.get(callId);
      if (output !== undefined) return textOf(output);
    }
    return undefined;
  }

  /** All outputs, by the names of their tools and by their aliases. */
  #byName(): ReadonlyMap<string, string> {
    if (this.#named !== undefined) return this.#named;
    const named = new Map<string, string>();
    const aliased = new Map<string, string>();
    const outputs = new Map<unknown, string>();
    for (const item of this.#context.items()) if (isOutput(item)) outputs.set(item['call_id'], textOf(item));
    const turns = this.#context.modelTurns();
    const compacted = this.#context.turns - turns.length;
    for (const [n, items] of turns.entries()) {
      const entry = this.#modelTurns[compacted + n];
      const aliases = entry === undefined ? [] : aliasesOf(entry);
      for (const [k, call] of items.filter(isClientCall).entries()) {
        const output = outputs.get(call['call_id']);
        if (output === undefined) continue;
        named.set(nameOf(call), output);
        const alias = aliases[k];
        if (alias !== undefined) aliased.set(alias, output);
      }
    }
    return (this.#named = new Map([...named, ...aliased]));
  }
}

function isOutput(item: Item): boolean {
  return typeof item['call_id'] === 'string' && item.type?.endsWith('_output') === true;
}

function nameOf({ name, type }: Item): string {
  return typeof name === 'string' ? name : String(type);
}

/** The `as` of each call of an entry that the client answers, in order; undefined for a call without one. */
function aliasesOf(entry: Entry): readonly (string | undefined)[] {
  return elements(entry).flatMap(({ call, tool }) => {
    if (call !== undefined) return [call.as];
    if (tool === undefined || !isClientCall(tool) || 'container_id' in tool) return [];
    return ['as' in tool ? tool.as : undefined];
  });
}

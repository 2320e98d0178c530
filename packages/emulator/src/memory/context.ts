import type { Incremental } from '../base/incremental.js';
import {
  answeredKey,
  callKeys,
  danglingCallMessage,
  isClientCall,
  isHosted,
  orphanOutputMessage,
} from '../wire/client-calls.js';
import { compactedTurns, standsForAllBefore } from './compaction.js';
import { Refusal } from '../wire/refusal.js';
import type { ContextCount } from './context-count.js';
import { isFromModel, isUserMessage, textOf, type Transcript } from '../wire/transcript.js';
import type { Item } from '../wire/wire.js';

/** The maximum depth of branches. A lookup passes through all levels, so a deeper branch gets an index without a trunk. */
const maxBranches = 32;

/** The number of items that are added in one step. */
const addedPerStep = 1000;

/** What a context knows of all its items without reading them again. */
interface ContextSummary {
  /** The number of model turns: runs of the model's items between items of the caller. */
  readonly turns: number;
  /** Whether the last item is the model's, so that a further item of the model belongs to the same turn. */
  readonly endsWithModel: boolean;
  readonly lastUserMessage: Item | undefined;
  /** The client's calls without an output, by their first key. */
  readonly open: ReadonlyMap<string, Item>;
  /** What is wrong with the context, as a sentence of the API: the first problem alone; undefined if nothing is wrong. */
  readonly problem: string | undefined;
}

const emptySummary: ContextSummary = {
  turns: 0,
  endsWithModel: false,
  lastUserMessage: undefined,
  open: new Map(),
  problem: undefined,
};

/**
 * The full logical context of a turn: the items that the server knew by an id, then the new input. It begins at the last compaction (P77).
 * A context never changes. A longer context shares its beginning with the one that it continues. Making it, and all questions about it but
 * `items()` and `modelTurns()`, take time that depends on the new items alone.
 */
export class Context {
  /** The context that this one continues; undefined at the beginning of a chain, and after a compaction. */
  readonly parent: Context | undefined;
  /** The items that this context adds to its parent. */
  readonly own: Transcript;
  readonly length: number;
  /** The latest count that a `TokenCounter` made of this context. */
  count: ContextCount | undefined;
  readonly #keys: KeyIndex;
  readonly #summary: ContextSummary;
  #mentionsJson: boolean | undefined;

  private constructor(parent: Context | undefined, own: Transcript, keys: KeyIndex) {
    this.parent = parent;
    this.own = own;
    this.#keys = keys;
    const before = parent === undefined ? emptySummary : parent.#summary;
    let at = parent === undefined ? 0 : parent.length;
    let { turns, endsWithModel, lastUserMessage, problem } = before;
    let open = before.open;
    const opened = (): Map<string, Item> => {
      if (open === before.open) open = new Map(before.open);
      return open as Map<string, Item>;
    };
    for (const item of own) {
      const answered = answeredKey(item);
      if (answered !== undefined) {
        if (!keys.has(answered)) problem ??= orphanOutputMessage(item);
        for (const [key, call] of open) if (callKeys(call).includes(answered)) opened().delete(key);
      }
      const [key, ...others] = callKeys(item);
      if (key !== undefined) {
        for (const each of [key, ...others]) keys.add(each, at);
        if (isClientCall(item)) opened().set(key, item);
      }
      if (isHosted(item)) keys.add(hostedKey(item['call_id']), at);
      const { id } = item;
      // The id of a local shell's output may be the id of its call, and is then no duplicate.
      if (typeof id === 'string' && item.type !== 'local_shell_call_output') {
        if (keys.has(idKey(id))) problem ??= duplicateSentence(id);
        keys.add(idKey(id), at);
      }
      if (isUserMessage(item)) lastUserMessage = item;
      if (item.type === 'compaction') turns = compactedTurns(item);
      const fromModel = this.#isFromModel(item);
      if (fromModel && !endsWithModel) turns += 1;
      endsWithModel = fromModel;
      at += 1;
    }
    this.length = at;
    this.#summary = { turns, endsWithModel, lastUserMessage, open, problem };
    keys.tip = this;
  }

  static of(items: Transcript): Context {
    const cut = items.findLastIndex(standsForAllBefore);
    return new Context(undefined, cut < 1 ? items : items.slice(cut), new KeyIndex(undefined));
  }

  /** The context of these items and `items` after them. */
  with(items: Transcript): Context {
    if (items.length === 0) return this;
    if (items.some(standsForAllBefore)) return Context.of(items);
    if (this.#keys.tip === this) return new Context(this, items, this.#keys);
    if (this.#keys.branches >= maxBranches) return Context.of(this.items()).with(items);
    return new Context(this, items, new KeyIndex({ keys: this.#keys, length: this.length }));
  }

  /** The same as `with`, in steps, for many items. */
  *withInSteps(items: Transcript): Incremental<Context> {
    if (items.length <= addedPerStep || items.some(standsForAllBefore)) return this.with(items);
    let context = this.with(items.slice(0, addedPerStep));
    for (let at = addedPerStep; at < items.length; at += addedPerStep) {
      yield;
      context = context.with(items.slice(at, at + addedPerStep));
    }
    return context;
  }

  /** Forgets the keys of this context and of its ancestors up to `kept`, when no turn will continue them. */
  releaseKeys(kept: Context | undefined): void {
    const keys = this.#keys;
    for (const at of ancestry(this)) {
      if (at === kept || keys.tip !== at) return;
      const from = at.parent?.length ?? 0;
      for (const item of at.own) {
        keys.remove([...callKeys(item), hostedKey(item['call_id']), idKey(item['id'])], from);
      }
      // The parent of a branch has another index.
      keys.tip = at.parent !== undefined && at.parent.#keys === keys ? at.parent : undefined;
    }
  }

  /** All items, in time that depends on their number. */
  items(): readonly Item[] {
    const parts: Transcript[] = [];
    for (const { own } of ancestry(this)) parts.push(own);
    return parts.toReversed().flat();
  }

  /** All items from the last one backwards, for a search that usually ends soon. */
  *backwards(): Generator<Item> {
    for (const { own } of ancestry(this)) {
      for (let index = own.length - 1; index >= 0; index -= 1) {
        const item = own[index];
        if (item !== undefined) yield item;
      }
    }
  }

  /** The items of each model turn since the last compaction, in time that depends on the length of the context. */
  modelTurns(): readonly (readonly Item[])[] {
    const turns: Item[][] = [];
    let current: Item[] | undefined;
    for (const item of this.items()) {
      if (!this.#isFromModel(item)) current = undefined;
      else if (current === undefined) turns.push((current = [item]));
      else current.push(item);
    }
    return turns;
  }

  get last(): Item | undefined {
    for (const item of this.backwards()) return item;
    return undefined;
  }

  /** The number of model turns (runs of the model's items between items of the caller), those before a compaction included. */
  get turns(): number {
    return this.#summary.turns;
  }

  /** The text of the last user message in the context; empty if there is none. */
  get lastUserText(): string {
    const { lastUserMessage } = this.#summary;
    return lastUserMessage === undefined ? '' : textOf(lastUserMessage);
  }

  /** The texts that the model has not answered yet: user messages and tool outputs after its last item, joined by line breaks. */
  get unansweredText(): string {
    const unanswered: string[] = [];
    for (const item of this.backwards()) {
      if (this.#isFromModel(item) || item.type === 'compaction') break;
      if (item['role'] === 'user' || item.type?.endsWith('_output') === true) unanswered.push(textOf(item));
    }
    return unanswered.toReversed().join('\n');
  }

  /** Whether any item contains the word "json", in capitals or not. */
  get mentionsJson(): boolean {
    const unknown: Context[] = [];
    let mentions = false;
    for (const context of ancestry(this)) {
      if (context.#mentionsJson !== undefined) {
        mentions = context.#mentionsJson;
        break;
      }
      unknown.push(context);
    }
    for (const context of unknown.toReversed()) {
      mentions ||= context.own.some((item) => /json/i.test(JSON.stringify(item)));
      context.#mentionsJson = mentions;
    }
    return mentions;
  }

  /** @throws Refusal if the context has an output without a call before it, or two items with one id */
  refuseProblem(): void {
    const { problem } = this.#summary;
    if (problem !== undefined) throw new Refusal(problem, { param: 'input' });
  }

  /** @throws Refusal if a call of the client has no output */
  refuseDanglingCalls(): void {
    for (const call of this.#summary.open.values()) throw new Refusal(danglingCallMessage(call), { param: 'input' });
  }

  /** The client's calls without an output. */
  get openCalls(): Iterable<Item> {
    return this.#summary.open.values();
  }

  #isFromModel(item: Item): boolean {
    return isFromModel(item, (callId) => this.#keys.has(hostedKey(callId)));
  }
}

/**
 * The ids and call keys in a chain of contexts, each with the index of its item. All contexts of the chain share one index, which grows with
 * the newest context, the tip. A context that is continued a second time begins a branch: an index of its own, which falls back to the
 * entries of the trunk up to the place where the branch begins.
 */
class KeyIndex {
  tip: Context | undefined;
  readonly branches: number;
  readonly #trunk: { readonly keys: KeyIndex; readonly length: number } | undefined;
  #places: Map<string, number> | undefined;

  constructor(trunk: { readonly keys: KeyIndex; readonly length: number } | undefined) {
    this.#trunk = trunk;
    this.branches = trunk === undefined ? 0 : trunk.keys.branches + 1;
  }

  add(key: string, place: number): void {
    this.#places ??= new Map();
    if (!this.#places.has(key)) this.#places.set(key, place);
  }

  has(key: string, before = Infinity): boolean {
    const place = this.#places?.get(key);
    if (place !== undefined && place < before) return true;
    return this.#trunk !== undefined && this.#trunk.keys.has(key, Math.min(before, this.#trunk.length));
  }

  /** Removes the keys that were added at the place `from` or later. */
  remove(keys: readonly string[], from: number): void {
    for (const key of keys) if ((this.#places?.get(key) ?? -1) >= from) this.#places?.delete(key);
  }
}

/** A context, its parent, and so on to the beginning of the chain. */
function* ancestry(last: Context): Generator<Context> {
  for (let at: Context | undefined = last; at !== undefined; at = at.parent) yield at;
}

function hostedKey(callId: unknown): string {
  return `hosted ${String(callId)}`;
}

function idKey(id: unknown): string {
  return `id ${String(id)}`;
}

function duplicateSentence(id: string): string {
  return `Duplicate item found with id ${id}. Remove duplicate items from your input and try again.`;
}

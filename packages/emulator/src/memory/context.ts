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

/** A branch of a branch of a branch looks keys up in each; one deeper than this gets an index of its own. */
const maxBranches = 32;

/** Items between two steps. */
const addedPerStep = 1000;

/** What is known of a context without looking at its items. */
interface ContextSummary {
  readonly turns: number;
  /** Whether its last item is the model's: the next one then belongs to the same time it spoke. */
  readonly endsWithModel: boolean;
  readonly lastUserMessage: Item | undefined;
  /** Calls of the client that nobody has answered, by their key. */
  readonly open: ReadonlyMap<string, Item>;
  /** The first thing wrong with it, if something is. */
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
 * The full logical context of a turn: what the server knew by id, then the new input. It begins with the last compaction
 * (P77). A context never changes; a longer one shares the beginning with it and is made in time that depends on its new
 * items only, as is everything that is asked about it, but for `items()`.
 */
export class Context {
  /** What it continues; undefined at the beginning of a chain, and after a compaction. */
  readonly parent: Context | undefined;
  /** What it adds to that. */
  readonly own: Transcript;
  readonly length: number;
  /** How a `TokenCounter` has counted it last. */
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
      // The output of a local shell may name its call where others have an id of their own.
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

  /** This context and what comes after it. */
  with(items: Transcript): Context {
    if (items.length === 0) return this;
    if (items.some(standsForAllBefore)) return Context.of(items);
    if (this.#keys.tip === this) return new Context(this, items, this.#keys);
    if (this.#keys.branches >= maxBranches) return Context.of(this.items()).with(items);
    return new Context(this, items, new KeyIndex({ keys: this.#keys, length: this.length }));
  }

  /** The same in steps, for who has many items to add. */
  *withInSteps(items: Transcript): Incremental<Context> {
    if (items.length <= addedPerStep || items.some(standsForAllBefore)) return this.with(items);
    let context = this.with(items.slice(0, addedPerStep));
    for (let at = addedPerStep; at < items.length; at += addedPerStep) {
      yield;
      context = context.with(items.slice(at, at + addedPerStep));
    }
    return context;
  }

  /** Nobody will continue this context, nor those between it and `kept`: their keys need not be remembered. */
  releaseKeys(kept: Context | undefined): void {
    const keys = this.#keys;
    for (const at of ancestry(this)) {
      if (at === kept || keys.tip !== at) return;
      const from = at.parent?.length ?? 0;
      for (const item of at.own) {
        keys.remove([...callKeys(item), hostedKey(item['call_id']), idKey(item['id'])], from);
      }
      // The parent of a branch has keys of its own.
      keys.tip = at.parent !== undefined && at.parent.#keys === keys ? at.parent : undefined;
    }
  }

  /** All of it, in time that depends on its length. */
  items(): readonly Item[] {
    const parts: Transcript[] = [];
    for (const { own } of ancestry(this)) parts.push(own);
    return parts.toReversed().flat();
  }

  /** All of it from its end on, for who looks for something that is usually near. */
  *backwards(): Generator<Item> {
    for (const { own } of ancestry(this)) {
      for (let index = own.length - 1; index >= 0; index -= 1) {
        const item = own[index];
        if (item !== undefined) yield item;
      }
    }
  }

  /** Each time the model spoke since the last compaction, in time that depends on its length. */
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

  /** How often the model has spoken: the runs of its items between what the caller said, before a compaction too. */
  get turns(): number {
    return this.#summary.turns;
  }

  /** The last user message anywhere in the context; empty if there is none. */
  get lastUserText(): string {
    const { lastUserMessage } = this.#summary;
    return lastUserMessage === undefined ? '' : textOf(lastUserMessage);
  }

  /** What is new to the model: the user messages and tool outputs after its last words, a line break between them. */
  get unansweredText(): string {
    const fresh: string[] = [];
    for (const item of this.backwards()) {
      if (this.#isFromModel(item) || item.type === 'compaction') break;
      if (item['role'] === 'user' || item.type?.endsWith('_output') === true) fresh.push(textOf(item));
    }
    return fresh.toReversed().join('\n');
  }

  /** Whether any item has the word, in capitals or not. */
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

  /** @throws Refusal if it holds an output before its call, or without one, or two items of one id */
  refuseProblem(): void {
    const { problem } = this.#summary;
    if (problem !== undefined) throw new Refusal(problem, { param: 'input' });
  }

  /** @throws Refusal if the model waits for a result that nobody brings */
  refuseDanglingCalls(): void {
    for (const call of this.#summary.open.values()) throw new Refusal(danglingCallMessage(call), { param: 'input' });
  }

  /** The calls of the client that nobody has answered. */
  get openCalls(): Iterable<Item> {
    return this.#summary.open.values();
  }

  #isFromModel(item: Item): boolean {
    return isFromModel(item, (callId) => this.#keys.has(hostedKey(callId)));
  }
}

/**
 * What stands in a line of contexts, each longer than the one before, and where: ids, and the keys of calls. It is shared by
 * the line and grows with its newest context, the tip. A context that is continued a second time begins a branch, with keys
 * of its own over the ones it shares.
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

  /** Those of them that were added at this place or later. */
  remove(keys: readonly string[], from: number): void {
    for (const key of keys) if ((this.#places?.get(key) ?? -1) >= from) this.#places?.delete(key);
  }
}

/** A context, what it continues, and so on to the beginning. */
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

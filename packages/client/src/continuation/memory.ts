import { typeOf } from './equivalence.js';
import { FieldSets } from './field-sets.js';
import { changedField, unchainableField } from './fields.js';
import { bytesOf, field, isObject } from '../json/json.js';
import { Tree, someNode, nodesOf, pathTo, storedItem } from './tree.js';
import type { FieldSet } from './field-sets.js';
import type { Json, JsonObject } from '../json/json.js';
import type { FullReason } from './full-reason.js';
import type { StoredItem, TreeLevel, TreeNode } from './tree.js';

/** How the input of a turn is sent. */
export type ChainPlan = DeltaPlan | FullPlan;

/** Only the items from index `from` on, with `previous_response_id`. */
export interface DeltaPlan {
  name: 'delta';
  responseId: string;
  /** The server has stored the response: another connection can continue it too. */
  stored: boolean;
  from: number;
  /** The baseline that is continued, for {@link ChainMemory.commit}; undefined where another client has told of the response. */
  baseline: Baseline | undefined;
}

/** All items, without an id. */
export interface FullPlan {
  name: 'full';
  reason: FullReason;
}

/** The chain that the server holds at the end of a response. */
export interface Baseline {
  readonly responseId: string;
  readonly stored: boolean;
  readonly fields: FieldSet;
  readonly node: Node;
}

type Node = TreeNode<Baseline>;

export interface ChainMemoryOptions {
  /**
   * The budget of all conversations together, in bytes as estimated: two bytes a character, and a fixed cost for each object. The least recently used chain
   * is forgotten first, which costs one full resend. A chain that exceeds the budget alone is not remembered.
   */
  maxBytes: number;
}

export interface ChainRequest {
  /** The whole input of the caller, as snapshots: see `itemsOf` and `snapshot`. Never changed later. */
  input: readonly Json[];
  /** The result of `shapingFields`. */
  fields: JsonObject;
}

export interface ChainResponse extends ChainRequest {
  responseId: string;
  /** Whether the response is stored, by the server's own word (D3). */
  stored: boolean;
  /**
   * The finished output items, in order, as snapshots taken before the consumer had them: the consumer may edit its own. Taken from `output_item.done` if the
   * terminal event leaves them out (D7).
   */
  output: readonly Json[];
  /** By index, the item of `output_item.done` if it differs from the one of the terminal event. */
  alternates?: readonly (Json | undefined)[];
  /** The plan of the last attempt: after a delta the server holds the baseline, and not the caller's items in its place. */
  plan: ChainPlan;
}

/** The estimated cost of one response beside its items and fields, in bytes. */
const baselineBytes = 400;

/**
 * The chains that the server is known to hold: for each response, the items of its context and the fields that shaped it. The memory finds the
 * response that a request continues by the items of the input alone, whichever conversation they belong to.
 */
export class ChainMemory {
  readonly #maxBytes: number;
  readonly #tree = new Tree<Baseline>();
  readonly #fieldSets = new FieldSets();
  /** Baselines by the id of their response, in the order of their last use. */
  readonly #baselines = new Map<string, Baseline>();
  /** Baselines that the server has lost: kept while there is room, so that the reason of a full plan can be told. */
  readonly #lost = new Map<string, Baseline>();

  constructor({ maxBytes }: ChainMemoryOptions) {
    this.#maxBytes = maxBytes;
  }

  /** An estimate of all that is matched, in bytes; never more than `maxBytes`. */
  get bytes(): number {
    return this.#tree.bytes + this.#fieldSets.bytes + baselineBytes * (this.#baselines.size + this.#lost.size);
  }

  /** The number of responses that can be continued. */
  get size(): number {
    return this.#baselines.size;
  }

  /**
   * A delta from the response with the longest context that begins the input, has the same shaping fields, is `usable`, and leaves at least one item to send.
   * Otherwise a full plan with its reason. The time is proportional to the items of the input.
   *
   * @param usable whether a response can be continued now: a connection holds it, or it is stored.
   */
  plan(request: ChainRequest, usable: (responseId: string, stored: boolean) => boolean): ChainPlan {
    const { input, fields } = request;
    const barred = unchainableField(fields);
    if (barred !== undefined) return { name: 'full', reason: `unchainable: ${barred}` };
    const levels = this.#tree.match(input);
    const set = this.#fieldSets.find(fields);
    for (let from = set === undefined ? -1 : Math.min(levels.length, input.length) - 1; from >= 0; from -= 1) {
      const baseline = this.#continuable(levels[from] ?? [], set, usable);
      if (baseline !== undefined) {
        const { responseId, stored } = baseline;
        this.#touch(baseline);
        return { name: 'delta', responseId, stored, from, baseline };
      }
    }
    return { name: 'full', reason: this.#reason(request, set, levels) };
  }

  /**
   * Remembers what the server holds at the end of this response: its input and its output. Only for a turn that completed and whose terminal event was read
   * (D8, D9). A response with a compaction (D5), one that is too large, and one with unchainable fields are not remembered.
   */
  commit(response: ChainResponse): void {
    const { input, fields, responseId, stored, output, alternates, plan } = response;
    this.#release(this.#baselines.get(responseId) ?? this.#lost.get(responseId));
    if (unchainableField(fields) !== undefined || output.some(isCompaction)) return;
    const start = plan.name === 'delta' ? plan.baseline : undefined;
    const from = plan.name === 'delta' && start !== undefined ? plan.from : 0;
    const path: StoredItem[] = [];
    for (let index = from; index < input.length; index += 1) path.push(storedItem(input[index] ?? null, undefined));
    for (const [index, item] of output.entries()) path.push(storedItem(item, alternates?.[index]));
    let bytes = baselineBytes + bytesOf(fields) + (start?.node.pathBytes ?? 0);
    for (const one of path) bytes += one.bytes;
    // An item that is nested too deep counts as infinite, and `<=` refuses NaN as well.
    if (!(bytes <= this.#maxBytes)) return;
    const node = this.#tree.insert(this.#attached(start?.node), path);
    const baseline: Baseline = { responseId, stored, node, fields: this.#fieldSets.acquire(fields) };
    node.mark(baseline);
    this.#baselines.set(responseId, baseline);
    this.#evict();
  }

  #continuable(
    level: TreeLevel<Baseline>,
    set: FieldSet | undefined,
    usable: (responseId: string, stored: boolean) => boolean,
  ): Baseline | undefined {
    for (const { marks } of nodesOf(level)) {
      const found = marks.findLast(
        (one) => one.fields === set && this.#isLive(one) && usable(one.responseId, one.stored),
      );
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The server no longer has this response: it said so, or the connection that matched it is gone. */
  forget(responseId: string): void {
    const baseline = this.#baselines.get(responseId);
    if (baseline === undefined) return;
    this.#baselines.delete(responseId);
    this.#lost.set(responseId, baseline);
  }

  /** The node, added again if it was forgotten meanwhile: the server still holds its path. */
  #attached(node: Node = this.#tree.root): Node {
    return node.freed ? this.#tree.insert(this.#tree.root, pathTo(node)) : node;
  }

  #isLive(baseline: Baseline): boolean {
    return this.#baselines.get(baseline.responseId) === baseline;
  }

  #touch(baseline: Baseline): void {
    this.#baselines.delete(baseline.responseId);
    this.#baselines.set(baseline.responseId, baseline);
  }

  /**
   * Releases the oldest until there is room again, and a sixty-fourth more: an iterator over a map passes over the places of all entries that were removed
   * before, which takes 10 µs among 20,000 chains, and should not be paid at each turn. (One that is kept would keep every entry it has not passed, removed or
   * not.) The newest stays.
   */
  #evict(): void {
    if (this.bytes <= this.#maxBytes) return;
    const roomy = this.#maxBytes - this.#maxBytes / 64;
    for (const baselines of [this.#lost, this.#baselines]) {
      for (const oldest of baselines.values()) {
        if (this.bytes <= roomy || (this.#baselines.size === 1 && this.bytes <= this.#maxBytes)) return;
        this.#release(oldest);
      }
    }
  }

  #release(baseline: Baseline | undefined): void {
    if (baseline === undefined) return;
    this.#baselines.delete(baseline.responseId);
    this.#lost.delete(baseline.responseId);
    this.#fieldSets.release(baseline.fields);
    baseline.node.unmark(baseline);
    this.#tree.prune(baseline.node);
  }

  /** The reason of a full plan: the first that applies. */
  #reason(
    { input, fields }: ChainRequest,
    set: FieldSet | undefined,
    levels: readonly TreeLevel<Baseline>[],
  ): FullReason {
    const matched = levels.length - 1;
    const whole = matched === input.length;
    if (whole && someNode(levels[matched], ({ marks }) => marks.some((one) => this.#isLive(one)))) return 'nothing_new';
    const last = levels.findLast((level, index) => index < input.length && someNode(level, isMarked));
    if (last !== undefined && (whole || last === levels[matched])) {
      const [newest, ...older] = baselinesOf(last).map((one) => one.fields);
      if (newest !== undefined && newest !== set && !older.includes(set ?? newest)) {
        return `fields_changed: ${changedField(newest.fields, fields)}`;
      }
      // If the chain goes on from here with other items, the input has left it.
      if (whole || someNode(last, (node) => isMarked(node) && node.isLeaf)) return 'chain_lost';
    }
    if (input.every(isFromCaller)) return 'first_turn';
    if (whole) return 'history_rewound';
    return matched === 0 ? 'history_unknown' : `history_diverged_at: ${matched}`;
  }
}

/** The baselines of a level, the newest first. */
function baselinesOf(level: TreeLevel<Baseline> | undefined): Baseline[] {
  return nodesOf(level ?? []).flatMap(({ marks }) => marks.toReversed());
}

function isMarked({ marks }: Node): boolean {
  return marks.length > 0;
}

function isCompaction(item: Json): boolean {
  return isObject(item) && typeOf(item) === 'compaction';
}

/** A message of the caller. Every other item comes from a model, answers one of its calls, or refers to an earlier item. */
function isFromCaller(item: Json): boolean {
  return isObject(item) && typeOf(item) === 'message' && field(item, 'role') !== 'assistant';
}

import { maxComparisons } from '../base/bounds.js';
import { equivalent } from './equivalence.js';
import { bytesOf, equal } from '../json/json.js';
import { idOf, referenceOf, signatureOf } from './signature.js';
import type { Json } from '../json/json.js';

/** An item as the server holds it. `alternate` is its other form, if the server has sent two. */
export interface StoredItem {
  item: Json;
  alternate: Json | undefined;
  /** The estimated memory of its node, in bytes. */
  bytes: number;
}

export function storedItem(item: Json, alternate: Json | undefined): StoredItem {
  return { item, alternate, bytes: nodeBytes + bytesOf(item) + (alternate === undefined ? 0 : bytesOf(alternate)) };
}

/** The estimated memory of a node beside its item, in bytes. */
const nodeBytes = 400;

/** A node of the tree of transcripts: one item after those of its parents. Conversations that begin alike share a path. */
export class TreeNode<Mark> implements StoredItem {
  readonly parent: TreeNode<Mark> | undefined;
  readonly alternate: Json | undefined;
  readonly bytes: number;
  /** The estimated memory of the whole path, this node included. */
  readonly pathBytes: number;
  /** The item, which an equal object may replace: see {@link TreeNode.matchExactly}. */
  item: Json;
  /** The child of a node with one child, as most nodes are. */
  onlyChild: TreeNode<Mark> | undefined;
  /** The node was removed from the tree. */
  freed = false;
  #replaced = false;
  #marks: Mark[] | undefined;
  #siblings: Siblings<Mark> | undefined;
  #keys: readonly (number | string)[] | undefined;

  constructor(parent?: TreeNode<Mark>, { item, alternate, bytes }: StoredItem = nothing) {
    this.parent = parent;
    this.item = item;
    this.alternate = alternate;
    this.bytes = bytes;
    this.pathBytes = (parent?.pathBytes ?? 0) + bytes;
  }

  /**
   * Whether `item` equals the item of this node. The first equal object replaces it: the body cache gives the same object each time, and the next comparison
   * is one of identity. A second replacement would not help callers with a new snapshot each time.
   */
  matchExactly(item: Json): boolean {
    if (!equal(this.item, item)) return false;
    if (!this.#replaced) this.item = item;
    this.#replaced = true;
    return true;
  }

  /** The marks that keep this path, the newest last. A node without marks and children is removed. */
  get marks(): readonly Mark[] {
    return this.#marks ?? none;
  }

  mark(mark: Mark): void {
    (this.#marks ??= []).push(mark);
  }

  unmark(mark: Mark): void {
    removeValue(this.#marks ?? [], mark);
  }

  get isLeaf(): boolean {
    return this.onlyChild === undefined && this.#siblings === undefined;
  }

  add(child: TreeNode<Mark>): void {
    if (this.#siblings !== undefined) this.#siblings.add(child);
    else if (this.onlyChild === undefined) this.onlyChild = child;
    else {
      this.#siblings = new Siblings(this.onlyChild, child);
      this.onlyChild = undefined;
    }
  }

  remove(child: TreeNode<Mark>): void {
    if (this.#siblings === undefined) {
      this.onlyChild = undefined;
      return;
    }
    this.#siblings.remove(child);
    if (this.#siblings.last === undefined) return;
    this.onlyChild = this.#siblings.last;
    this.#siblings = undefined;
  }

  /** The children that may match a key, the newest last. They must still be compared. */
  candidates(key: () => number | string): readonly TreeNode<Mark>[] {
    return this.onlyChild === undefined ? (this.#siblings?.candidates(key) ?? none) : [this.onlyChild];
  }

  /** The keys of this node in the index of its parent. */
  get keys(): readonly (number | string)[] {
    return (this.#keys ??= keysOf(this));
  }
}

/** Of the root. */
const nothing: StoredItem = { item: null, alternate: undefined, bytes: 0 };
const none: readonly never[] = [];

/** The items from the root to this node. */
export function pathTo<Mark>(end: TreeNode<Mark>): StoredItem[] {
  const path: StoredItem[] = [];
  for (let node = end; node.parent !== undefined; node = node.parent) path.push(node);
  return path.toReversed();
}

/** The number of children from which on an index is used. */
const indexFrom = 8;

/** Two or more children of a node, found by signature or, for references, by id. */
class Siblings<Mark> {
  /** The children as a list, while they are few: comparing them costs less than a signature. */
  #nodes: TreeNode<Mark>[] | Map<number | string, TreeNode<Mark>[]>;
  #count: number;

  constructor(...nodes: TreeNode<Mark>[]) {
    this.#nodes = nodes;
    this.#count = nodes.length;
  }

  /** The only child that is left. */
  get last(): TreeNode<Mark> | undefined {
    if (this.#count !== 1) return undefined;
    const [last] = Array.isArray(this.#nodes) ? this.#nodes : [...this.#nodes.values()].flat();
    return last;
  }

  add(node: TreeNode<Mark>): void {
    this.#count += 1;
    if (!Array.isArray(this.#nodes)) return this.#enter(this.#nodes, node);
    this.#nodes.push(node);
    if (this.#count < indexFrom) return;
    const index = new Map<number | string, TreeNode<Mark>[]>();
    for (const child of this.#nodes) this.#enter(index, child);
    this.#nodes = index;
  }

  remove(node: TreeNode<Mark>): void {
    this.#count -= 1;
    if (Array.isArray(this.#nodes)) return removeValue(this.#nodes, node);
    for (const key of node.keys) {
      const bucket = this.#nodes.get(key) ?? [];
      removeValue(bucket, node);
      if (bucket.length === 0) this.#nodes.delete(key);
    }
  }

  /** The children that may match a key, the newest last. */
  candidates(key: () => number | string): readonly TreeNode<Mark>[] {
    return Array.isArray(this.#nodes) ? this.#nodes : (this.#nodes.get(key()) ?? none);
  }

  #enter(index: Map<number | string, TreeNode<Mark>[]>, node: TreeNode<Mark>): void {
    for (const key of node.keys) {
      const bucket = index.get(key);
      if (bucket === undefined) index.set(key, [node]);
      else bucket.push(node);
    }
  }
}

/** Removes a value, usually the first. */
function removeValue<Value>(values: Value[], value: Value): void {
  const at = values.indexOf(value);
  if (at === 0) values.shift();
  else if (at > 0) values.splice(at, 1);
}

/** The keys of a node: the signature and the id of each of its forms. */
function keysOf({ item, alternate }: StoredItem): (number | string)[] {
  const keys = keysOfForm(item);
  if (alternate === undefined) return keys;
  return [...keys, ...keysOfForm(alternate).filter((key) => !keys.includes(key))];
}

function keysOfForm(form: Json): (number | string)[] {
  const id = idOf(form);
  return id === undefined ? [signatureOf(form)] : [signatureOf(form), id];
}

/** The nodes whose paths match the first n items of an input; usually one. */
export type TreeLevel<Mark> = TreeNode<Mark> | readonly TreeNode<Mark>[];

export function nodesOf<Mark>(level: TreeLevel<Mark>): readonly TreeNode<Mark>[] {
  return level instanceof TreeNode ? [level] : level;
}

/** Whether a node of the level passes the test. */
export function someNode<Mark>(level: TreeLevel<Mark> | undefined, test: (node: TreeNode<Mark>) => boolean): boolean {
  return level instanceof TreeNode ? test(level) : (level?.some(test) ?? false);
}

/** The transcripts of all conversations, each item of a common beginning stored once. Pure structure: its caller decides which nodes are marked. */
export class Tree<Mark> {
  readonly root = new TreeNode<Mark>();

  /** An estimate of all that is stored, in bytes. */
  bytes = 0;

  /**
   * Matches the input from the root. The element at index n has the nodes whose path is equivalent to the first n items: more than one if histories differ
   * only in what the equivalence ignores. Ends with the last index that has a node.
   */
  match(input: readonly Json[]): TreeLevel<Mark>[] {
    const levels: TreeLevel<Mark>[] = [this.root];
    let level: TreeLevel<Mark> | undefined = this.root;
    for (const item of input) {
      level = nextIfIdentical(level, item) ?? matchItem(level, item);
      if (level === undefined) break;
      levels.push(level);
    }
    return levels;
  }

  /** Adds a path, and returns its last node. Equal items are shared, equivalent ones are not. */
  insert(from: TreeNode<Mark>, path: readonly StoredItem[]): TreeNode<Mark> {
    let node = from;
    for (const stored of path) {
      // Many items may have the same text; an id tells them apart.
      let child = findEqual(
        node.candidates(() => idOf(stored.item) ?? signatureOf(stored.item)),
        stored,
      );
      if (child === undefined) {
        child = new TreeNode(node, stored);
        node.add(child);
        this.bytes += child.bytes;
      }
      node = child;
    }
    return node;
  }

  /** Removes this node and its ancestors, as far as they have no marks and no other children. */
  prune(from: TreeNode<Mark>): void {
    let node = from;
    while (node.parent !== undefined && node.marks.length === 0 && node.isLeaf) {
      node.parent.remove(node);
      node.freed = true;
      this.bytes -= node.bytes;
      node = node.parent;
    }
  }
}

/** The body cache gives the items of the request before: most of a history are the same objects, and need no comparison. */
function nextIfIdentical<Mark>(level: TreeLevel<Mark>, item: Json | undefined): TreeNode<Mark> | undefined {
  if (!(level instanceof TreeNode)) return undefined;
  const { onlyChild } = level;
  return onlyChild !== undefined && onlyChild.item === item ? onlyChild : undefined;
}

function matchItem<Mark>(level: TreeLevel<Mark>, item: Json): TreeLevel<Mark> | undefined {
  let next: TreeNode<Mark> | TreeNode<Mark>[] | undefined;
  let comparisons = 0;
  let known: number | string | undefined;
  const key = (): number | string => (known ??= referenceOf(item) ?? signatureOf(item));
  for (const node of nodesOf(level)) {
    const candidates = node.candidates(key);
    for (let index = candidates.length - 1; index >= 0; index -= 1) {
      const candidate = candidates[index];
      if (candidate === undefined || (comparisons += 1) > maxComparisons) return next;
      const { alternate } = candidate;
      if (
        candidate.matchExactly(item) ||
        equivalent(candidate.item, item) ||
        (alternate !== undefined && equivalent(alternate, item))
      ) {
        if (next === undefined) next = candidate;
        else if (next instanceof TreeNode) next = [next, candidate];
        else next.push(candidate);
      }
    }
  }
  return next;
}

function findEqual<Mark>(candidates: readonly TreeNode<Mark>[], stored: StoredItem): TreeNode<Mark> | undefined {
  for (const candidate of candidates.slice(-maxComparisons)) {
    if (equal(candidate.item, stored.item) && equal(candidate.alternate, stored.alternate)) return candidate;
  }
  return undefined;
}

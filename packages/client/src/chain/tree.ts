import { equivalent } from './equivalence.js';
import { bytesOf, equal } from './json.js';
import { idOf, referenceOf, signatureOf } from './signature.js';
import type { Json } from './json.js';

/** An item as the server holds it. Its `alternate` is the other form it was given out in, where there are two; either is this item. */
export interface HeldItem {
  item: Json;
  alternate: Json | undefined;
}

/** One item after those of its parents. The path from the root is a transcript, and conversations that begin alike share it. */
export class TreeNode<Mark> implements HeldItem {
  readonly parent: TreeNode<Mark> | undefined;
  readonly item: Json;
  readonly alternate: Json | undefined;
  /** An estimate of what it holds, alone. */
  readonly bytes: number;
  /** Of all items of the path, this one included. */
  readonly pathBytes: number;
  /** What keeps this path: a node without marks and children is freed. */
  readonly marks = new Set<Mark>();
  readonly children = new Children<Mark>();
  /** It is no longer in the tree: what it holds may be there anew. */
  freed = false;
  #keys: readonly (number | string)[] | undefined;

  constructor(parent?: TreeNode<Mark>, { item, alternate }: HeldItem = { item: null, alternate: undefined }) {
    this.parent = parent;
    this.item = item;
    this.alternate = alternate;
    this.bytes = parent === undefined ? 0 : nodeBytesOf({ item, alternate });
    this.pathBytes = (parent?.pathBytes ?? 0) + this.bytes;
  }

  /** What it is found by among many children of its parent. */
  get keys(): readonly (number | string)[] {
    return (this.#keys ??= keysOf(this));
  }
}

/** The items from the first one to that of this node. */
export function pathTo<Mark>(end: TreeNode<Mark>): HeldItem[] {
  const path: HeldItem[] = [];
  for (let node = end; node.parent !== undefined; node = node.parent) path.push(node);
  return path.toReversed();
}

/** A node's own objects and its entries in an index. */
const nodeBytes = 400;

export function nodeBytesOf({ item, alternate }: HeldItem): number {
  return nodeBytes + bytesOf(item) + (alternate === undefined ? 0 : bytesOf(alternate));
}

/** From so many children on, they are found by an index. Most nodes have one. */
const indexFrom = 8;

/** The children of a node, found by signature or, for references, by id. */
class Children<Mark> {
  #nodes: TreeNode<Mark>[] = [];
  #index: Map<number | string, TreeNode<Mark>[]> | undefined;

  get size(): number {
    return this.#nodes.length;
  }

  /** The one that is here, where it is one. */
  get only(): TreeNode<Mark> | undefined {
    return this.#nodes.length === 1 ? this.#nodes[0] : undefined;
  }

  add(node: TreeNode<Mark>): void {
    this.#nodes.push(node);
    if (this.#index !== undefined) this.#enter(this.#index, node);
    else if (this.#nodes.length >= indexFrom) {
      this.#index = new Map();
      for (const child of this.#nodes) this.#enter(this.#index, child);
    }
  }

  remove(node: TreeNode<Mark>): void {
    takeOut(this.#nodes, node);
    if (this.#index === undefined) return;
    for (const key of node.keys) {
      const bucket = this.#index.get(key) ?? [];
      takeOut(bucket, node);
      if (bucket.length === 0) this.#index.delete(key);
    }
  }

  /**
   * Those that may be what is found by this key, the newest last. Whether they are, comparing must tell. Of a few children all may be: to
   * compare them costs less than the signature that would tell them apart.
   */
  candidates(key: () => number | string): readonly TreeNode<Mark>[] {
    return this.#index === undefined ? this.#nodes : (this.#index.get(key()) ?? []);
  }

  #enter(index: Map<number | string, TreeNode<Mark>[]>, node: TreeNode<Mark>): void {
    for (const key of node.keys) {
      const bucket = index.get(key);
      if (bucket === undefined) index.set(key, [node]);
      else bucket.push(node);
    }
  }
}

/** The oldest goes first as a rule, and stands at the beginning: `shift` moves that, and `splice` all the others. */
function takeOut<Value>(values: Value[], value: Value): void {
  const at = values.indexOf(value);
  if (at === 0) values.shift();
  else values.splice(at, 1);
}

/** What a node is found by: the signature and the id of each of its forms. */
function keysOf({ item, alternate }: HeldItem): (number | string)[] {
  const keys = new Set<number | string>();
  for (const form of alternate === undefined ? [item] : [item, alternate]) {
    keys.add(signatureOf(form));
    const id = idOf(form);
    if (id !== undefined) keys.add(id);
  }
  return [...keys];
}

/**
 * How many candidates are compared for one item of the input, the newest first. Where more histories are alike to the point of
 * differing in ids only, an older one may not be recognised, which costs a full resend.
 */
const maxComparisons = 256;

/** The transcripts of all conversations, each item of a common beginning held once. Pure structure: who is marked for how long is not its business. */
export class Tree<Mark> {
  readonly root = new TreeNode<Mark>();

  /** An estimate of all that is held, in bytes. */
  bytes = 0;

  /**
   * Follows the input from the root. The element at index n has the nodes whose path is equivalent to the first n items: more than one
   * where histories differ only in what the equivalence does not look at. Ends with the last index at which there are any.
   */
  walk(input: readonly Json[]): TreeNode<Mark>[][] {
    let level = [this.root];
    const levels = [level];
    for (const item of input) {
      const only = level.length === 1 ? level[0]?.children.only : undefined;
      // The very item that is held, as bodies that were read by the ones before them have it: a third of the time of a long history.
      level = only !== undefined && only.item === item ? [only] : follow(level, item);
      if (level.length === 0) break;
      levels.push(level);
    }
    return levels;
  }

  /** The node at the end of a path; what of it is not there yet is added. Shared is only what is the same, not what is equivalent. */
  grow(from: TreeNode<Mark>, path: readonly HeldItem[]): TreeNode<Mark> {
    let node = from;
    for (const held of path) {
      // Many answers may say the same; the id of an item is its own.
      let child = same(
        node.children.candidates(() => idOf(held.item) ?? signatureOf(held.item)),
        held,
      );
      if (child === undefined) {
        child = new TreeNode(node, held);
        node.children.add(child);
        this.bytes += child.bytes;
      }
      node = child;
    }
    return node;
  }

  /** Frees the nodes, from this one towards the root, that nothing needs any more. */
  prune(from: TreeNode<Mark>): void {
    let node = from;
    while (node.parent !== undefined && node.marks.size === 0 && node.children.size === 0) {
      node.parent.children.remove(node);
      node.freed = true;
      this.bytes -= node.bytes;
      node = node.parent;
    }
  }
}

function follow<Mark>(level: readonly TreeNode<Mark>[], item: Json): TreeNode<Mark>[] {
  const next: TreeNode<Mark>[] = [];
  let comparisons = 0;
  let known: number | string | undefined;
  const key = (): number | string => (known ??= referenceOf(item) ?? signatureOf(item));
  for (const node of level) {
    const candidates = node.children.candidates(key);
    for (let index = candidates.length - 1; index >= 0; index -= 1) {
      const candidate = candidates[index];
      if (candidate === undefined || (comparisons += 1) > maxComparisons) return next;
      const { alternate } = candidate;
      if (equivalent(candidate.item, item) || (alternate !== undefined && equivalent(alternate, item))) {
        next.push(candidate);
      }
    }
  }
  return next;
}

function same<Mark>(candidates: readonly TreeNode<Mark>[], held: HeldItem): TreeNode<Mark> | undefined {
  for (const candidate of candidates.slice(-maxComparisons)) {
    if (equal(candidate.item, held.item) && equal(candidate.alternate, held.alternate)) return candidate;
  }
  return undefined;
}

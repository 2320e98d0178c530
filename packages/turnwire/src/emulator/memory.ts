import type { Transcript } from './transcript.js';
import type { Item, ResponseObject } from './wire.js';

export interface MemoryLimits {
  readonly storedResponses: number;
  readonly storedBytes: number;
}

/** A finished response that a later turn may continue. It holds its own turn only; the context before it is its parent's. */
export interface Remembered {
  readonly response: ResponseObject;
  readonly parent: Remembered | undefined;
  /** The new input of the turn, then its output. */
  readonly items: Transcript;
  readonly bytes: number;
  /** Known from everywhere (`store: true`), or only where it was made. */
  readonly stored: boolean;
  /** Dropped for room: whatever continues it can no longer be continued either. */
  forgotten: boolean;
}

/**
 * What the server remembers of finished turns (P70–P73): stored responses for everyone, the others for the connection
 * that holds on to them. One budget of count and bytes for both; over it, the oldest go first.
 */
export class Memory {
  readonly #limits: MemoryLimits;
  readonly #all = new Set<Remembered>();
  readonly #byId = new Map<string, Remembered>();
  readonly #items = new Map<string, { readonly item: Item; readonly owner: Remembered }>();
  #bytes = 0;

  constructor(limits: MemoryLimits) {
    this.#limits = limits;
  }

  remember(turn: Omit<Remembered, 'forgotten' | 'bytes'>): Remembered {
    const bytes = Buffer.byteLength(JSON.stringify([turn.items, turn.response]));
    const remembered: Remembered = { ...turn, bytes, forgotten: false };
    this.#all.add(remembered);
    this.#bytes += bytes;
    if (turn.stored) {
      this.#byId.set(turn.response.id, remembered);
      for (const item of turn.items) {
        if (typeof item['id'] === 'string') this.#items.set(item['id'], { item, owner: remembered });
      }
    }
    this.#makeRoom(remembered);
    return remembered;
  }

  /** A stored response; undefined if there never was one, or it had to make room. */
  stored(id: string): Remembered | undefined {
    return this.#byId.get(id);
  }

  /** An item of a stored response, as an `item_reference` names it. */
  item(id: string): Item | undefined {
    return this.#items.get(id)?.item;
  }

  /** The context up to and with this response; undefined when a part of it had to make room. */
  transcript(last: Remembered | undefined): Item[] | undefined {
    const turns: Transcript[] = [];
    for (let at = last; at !== undefined; at = at.parent) {
      if (at.forgotten) return undefined;
      turns.push(at.items);
    }
    return turns.toReversed().flat();
  }

  /** A connection lets go of a response: what is not stored dies with it, back to the first ancestor that is. */
  release(last: Remembered | undefined): void {
    for (let at = last; at !== undefined && !at.stored; at = at.parent) this.#forget(at);
  }

  #makeRoom(newest: Remembered): void {
    for (const oldest of this.#all) {
      const fits = this.#all.size <= this.#limits.storedResponses && this.#bytes <= this.#limits.storedBytes;
      if (fits || oldest === newest) return;
      this.#forget(oldest);
    }
  }

  #forget(turn: Remembered): void {
    if (!this.#all.delete(turn)) return;
    turn.forgotten = true;
    this.#bytes -= turn.bytes;
    if (this.#byId.get(turn.response.id) === turn) this.#byId.delete(turn.response.id);
    for (const { id } of turn.items) {
      if (typeof id === 'string' && this.#items.get(id)?.owner === turn) this.#items.delete(id);
    }
  }
}

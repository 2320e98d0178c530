import { itemsOf } from '../protocol/request.js';
import { shapingFields } from '../continuation/fields.js';
import { unmarkIntegers } from '../json/exact-integers.js';
import { pick } from '../json/json.js';
import { SnapshotError, snapshot } from '../json/snapshot.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import { sseOnlyFields, webSocketOnlyFields } from '../protocol/request.js';
import type { Json, JsonObject } from '../json/json.js';
import type { MessageText } from '../websocket/frame.js';

/** The items from index `from` on, to continue `responseId`. */
export interface Delta {
  responseId: string;
  from: number;
}

/** @internal */
export interface RequestOptions {
  mayHaveRun?: boolean | undefined;
  continuable?: boolean | undefined;
}

/**
 * The request of the caller, as it was when the turn began. Every attempt is made from it, so that each is what a plain client would have sent (D11, F6).
 * The structure is copied at once, because the caller may change its objects meanwhile; strings are shared.
 */
export class TurnRequest {
  readonly params: JsonObject;
  /** The items of the input; undefined for an input that is neither a string nor an array, and is sent as it is. */
  readonly items: readonly Json[] | undefined;
  /** The response that the caller continues itself: the input holds only new items then. */
  readonly previousResponseId: string | undefined;
  readonly store: boolean;
  /** The request has `generate: false`, which only a WebSocket knows: over HTTP the turn would run, and be paid for (P30, P38). */
  readonly webSocketOnly: boolean;
  /** The request is for a background response, which a WebSocket does not know (P37). */
  readonly sseOnly: boolean;
  /** Running the turn twice has no effect but its cost: no conversation on the server, no tool that acts on the provider's side. */
  readonly repeatable: boolean;
  /** A later turn of this client may continue the response, so its connection is kept for that turn. */
  readonly continuable: boolean;
  /** The request names a conversation of the server, which excludes a response to continue (P39). */
  readonly inConversation: boolean;
  #fields: JsonObject | undefined;

  /**
   * @param isSnapshot `given` was made for this turn, and never changes.
   * @param options `mayHaveRun`: an earlier turn with the same content may have run, and this one is sent to no second place. `continuable`: see the field.
   * @throws TurnwireError `invalid_request`
   */
  constructor(given: unknown, isSnapshot = false, { mayHaveRun = false, continuable = true }: RequestOptions = {}) {
    const params = isSnapshot ? (given as JsonObject) : copyOf(given);
    const { previous_response_id: previous, store, generate, background, tools, conversation } = params;
    if (previous !== undefined && previous !== null && typeof previous !== 'string') {
      throw invalid('previous_response_id must be the id of a response, a string');
    }
    this.params = params;
    // A turn without input is one without items.
    this.items = params['input'] === undefined ? [] : itemsOf(params['input']);
    this.previousResponseId = previous ?? undefined;
    this.store = store !== false;
    this.webSocketOnly = generate === false;
    this.sseOnly = background === true;
    this.continuable = continuable;
    this.inConversation = conversation !== undefined && conversation !== null;
    this.repeatable = !mayHaveRun && !this.inConversation && withoutEffects(tools);
  }

  /** The fields that shape the context beside the input: see `continuation/fields.ts`. */
  get fields(): JsonObject {
    return (this.#fields ??= shapingFields(this.params));
  }

  /** The text frame of a WebSocket. A `stream_id` of the caller is not sent: the pool chooses lanes. */
  frame(delta?: Delta): MessageText {
    const { input } = this.params;
    const begin = `${framePrefix}${this.#fieldsText(isWebSocketOnly)}`;
    if (delta !== undefined) return `${begin}${this.#deltaFields(delta)}}`;
    if (Array.isArray(input) && input.length >= manyItems) return this.#fullPieces(begin, input);
    return `${begin}${this.#fieldsText(isCommon)}}`;
  }

  /** The body of a POST. */
  body(): string {
    return `{"stream":true${this.#fieldsText(isSseOnly)}${this.#fieldsText(isCommon)}}`;
  }

  /** A full frame in pieces, one for each item of the input. */
  #fullPieces(begin: string, items: readonly Json[]): string[] {
    const names = Object.keys(this.params);
    const before = new Set(names.slice(0, names.indexOf('input')));
    const pieces = [`${begin}${this.#fieldsText((name) => isCommon(name) && before.has(name))},"input":[`];
    for (const [index, item] of items.entries()) {
      if (index > 0) pieces.push(',');
      pieces.push(unmarkIntegers(JSON.stringify(item)));
    }
    before.add('input');
    pieces.push(`]${this.#fieldsText((name) => isCommon(name) && !before.has(name))}}`);
    return pieces;
  }

  #deltaFields({ responseId, from }: Delta): string {
    const input = unmarkIntegers(JSON.stringify(this.items?.slice(from) ?? []));
    return `${this.#fieldsText(isRest)},"previous_response_id":${JSON.stringify(responseId)},"input":${input}`;
  }

  /** The `wanted` fields as JSON, with a comma before the first: they follow another field. */
  #fieldsText(wanted: (name: string) => boolean): string {
    const { params } = this;
    return Object.keys(params).some(wanted)
      ? `,${unmarkIntegers(JSON.stringify(pick(params, wanted))).slice(1, -1)}`
      : '';
  }
}

/** The number of items from which on a full frame is made in pieces. */
const manyItems = 16;

/** The beginning of every frame of this client. */
export const framePrefix = '{"type":"response.create"';

function isCommon(name: string): boolean {
  return !sseOnlyFields.has(name) && !webSocketOnlyFields.has(name);
}

/** The common fields that a delta has. */
function isRest(name: string): boolean {
  return isCommon(name) && name !== 'input' && name !== 'previous_response_id';
}

function isWebSocketOnly(name: string): boolean {
  return name === 'generate';
}

function isSseOnly(name: string): boolean {
  return name !== 'stream' && sseOnlyFields.has(name);
}

/** Tools that the caller runs itself, and tools that only read. Any other tool may act on the world. */
const harmlessTools: ReadonlySet<string> = new Set([
  'custom',
  'file_search',
  'function',
  'tool_search',
  'web_search',
  'web_search_preview',
]);

function withoutEffects(tools: Json | undefined): boolean {
  if (tools === undefined || tools === null) return true;
  return (
    Array.isArray(tools) &&
    tools.every((tool) => {
      const type = (tool as { type?: unknown } | null)?.type;
      return typeof type === 'string' && harmlessTools.has(type);
    })
  );
}

function copyOf(given: unknown): JsonObject {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    const kind = given === null || given === undefined ? String(given) : `a ${typeof given}`;
    throw invalid(`a turn takes an object such as { model, input }, not ${Array.isArray(given) ? 'an array' : kind}`);
  }
  let copy: Json | undefined;
  try {
    copy = snapshot(given);
  } catch (cause) {
    throw invalid(`the request cannot be written as JSON: ${firstLine(cause)}`, cause);
  }
  if (typeof copy !== 'object' || copy === null || Array.isArray(copy))
    throw invalid('the request cannot be written as JSON: it becomes something else than an object');
  return copy;
}

/** The first line of the exception of the caller's getter or `toJSON`, or of the snapshot's own error. */
function firstLine(error: unknown): string {
  const cause: unknown = error instanceof SnapshotError ? (error.cause ?? error) : error;
  return (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '';
}

function invalid(message: string, cause?: unknown): TurnwireError {
  return new TurnwireError('invalid_request', message, { cause });
}

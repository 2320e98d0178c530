import { itemsOf } from '../protocol/request.js';
import { shapingFields } from '../continuation/fields.js';
import { pick } from '../json/json.js';
import { SnapshotError, snapshot } from '../json/snapshot.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import { sseOnlyFields, webSocketOnlyFields } from '../protocol/request.js';
import type { Json, JsonObject } from '../json/json.js';

/** A part of the request: the items from `from` on, to continue `responseId`. */
export interface Delta {
  responseId: string;
  from: number;
}

/**
 * What the caller asked for, frozen when the turn begins: whatever happens later (another connection, another transport) is made from
 * this and not from what went out before, so it is what a plain client would have sent (D11, F6). The caller may change its objects
 * meanwhile: their structure was copied at once. Their strings are shared, so that this costs little; JSON is made of what is sent only.
 */
export class TurnRequest {
  readonly params: JsonObject;
  /** The input, item by item; undefined where it is of a shape that is not known here, and is sent as it is. */
  readonly items: readonly Json[] | undefined;
  /** Named by the caller itself: the input is then what is new, and nobody here knows the rest. */
  readonly previousResponseId: string | undefined;
  readonly store: boolean;
  /** `generate: false` is known on a WebSocket only: over HTTP it would run, and be paid for (P30, P38). */
  readonly webSocketOnly: boolean;
  /** Background responses are not known on a WebSocket (P37). */
  readonly sseOnly: boolean;
  /** Running it twice has no effect but its cost: nothing that the server keeps, no tool that acts on the provider's side. */
  readonly repeatable: boolean;
  /** It hangs on a conversation that the server keeps: that excludes a response to continue (P39). */
  readonly inConversation: boolean;
  #fields: JsonObject | undefined;
  #fullText: string | undefined;

  /**
   * @param isSnapshot it was made for this turn, and nobody will change it.
   * @throws TurnwireError `invalid_request`
   */
  constructor(given: unknown, isSnapshot = false) {
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
    this.inConversation = conversation !== undefined && conversation !== null;
    this.repeatable = !this.inConversation && withoutEffects(tools);
  }

  /** What shapes the context beside the input: see `continuation/fields.ts`. */
  get fields(): JsonObject {
    return (this.#fields ??= shapingFields(this.params));
  }

  /** The text frame of a WebSocket; lanes are the pool's business, so a `stream_id` of the caller's is not sent. */
  frame(delta?: Delta): string {
    const rest = delta === undefined ? this.#fullFields() : this.#deltaFields(delta);
    return `${framePrefix}${this.#fieldsText(isWebSocketOnly)}${rest}}`;
  }

  /** The body of a POST. */
  body(): string {
    return `{"stream":true${this.#fieldsText(isSseOnly)}${this.#fullFields()}}`;
  }

  /** The fields both transports take. */
  #fullFields(): string {
    return (this.#fullText ??= this.#fieldsText(isCommon));
  }

  #deltaFields({ responseId, from }: Delta): string {
    const input = JSON.stringify(this.items?.slice(from) ?? []);
    return `${this.#fieldsText(isRest)},"previous_response_id":${JSON.stringify(responseId)},"input":${input}`;
  }

  /** Those fields that are `wanted` as JSON, with a comma before each: they follow another one. */
  #fieldsText(wanted: (name: string) => boolean): string {
    const { params } = this;
    return Object.keys(params).some(wanted) ? `,${JSON.stringify(pick(params, wanted)).slice(1, -1)}` : '';
  }
}

/** How every frame of ours begins. */
export const framePrefix = '{"type":"response.create"';

function isCommon(name: string): boolean {
  return !sseOnlyFields.has(name) && !webSocketOnlyFields.has(name);
}

/** What a delta has of them. */
function isRest(name: string): boolean {
  return isCommon(name) && name !== 'input' && name !== 'previous_response_id';
}

function isWebSocketOnly(name: string): boolean {
  return name === 'generate';
}

function isSseOnly(name: string): boolean {
  return name !== 'stream' && sseOnlyFields.has(name);
}

/** Tools that the client runs itself, and those that only read. What is not listed may act on the world. */
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

/** Of what the caller's own getter or `toJSON` has thrown, where it was that; otherwise of what the snapshot says. */
function firstLine(error: unknown): string {
  const cause: unknown = error instanceof SnapshotError ? (error.cause ?? error) : error;
  return (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '';
}

function invalid(message: string, cause?: unknown): TurnwireError {
  return new TurnwireError('invalid_request', message, { cause });
}

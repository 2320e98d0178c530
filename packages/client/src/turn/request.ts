import { TurnwireError } from '../protocol/errors.js';
import { sseOnlyFields, webSocketOnlyFields } from '../protocol/request.js';
import type { TurnParams } from '../protocol/request.js';
import type { OutgoingRequest, Parent } from '../transport/transport.js';

/**
 * What the caller asked for, frozen when the turn begins: whatever happens later (another connection, another transport) is made from
 * this and not from what went out before, so it is what a plain client would have sent (D11, F6). The caller may change its objects
 * meanwhile: their JSON was taken at once.
 */
export class TurnRequest implements OutgoingRequest {
  readonly parent: Parent | undefined;
  readonly store: boolean;
  /** `generate: false` is known on a WebSocket only: over HTTP it would run, and be paid for (P30, P38). */
  readonly webSocketOnly: boolean;
  /** Background responses are not known on a WebSocket (P37). */
  readonly sseOnly: boolean;
  /** Running it twice has no effect but its cost: nothing that the server keeps, no tool that acts on the provider's side. */
  readonly repeatable: boolean;
  /** The fields both transports take, as JSON without its braces. */
  readonly #common: string;
  readonly #sse: string;
  readonly #webSocket: string;

  /** @throws TurnwireError `invalid_request` */
  constructor(given: TurnParams) {
    const params = fieldsOf(given);
    const { previous_response_id: previous, store, generate, background, tools, conversation } = params;
    if (previous !== undefined && previous !== null && typeof previous !== 'string') {
      throw invalid('previous_response_id must be the id of a response, a string');
    }
    this.store = store !== false;
    // An id that the caller names may be known anywhere.
    this.parent = typeof previous === 'string' ? { responseId: previous, stored: true } : undefined;
    this.webSocketOnly = generate === false;
    this.sseOnly = background === true;
    this.repeatable = (conversation === undefined || conversation === null) && withoutEffects(tools);
    const only = (fields: ReadonlySet<string>): string =>
      inner(Object.fromEntries(Object.entries(params).filter(([name]) => fields.has(name))));
    this.#sse = only(new Set([...sseOnlyFields].filter((name) => name !== 'stream')));
    // Lanes are the pool's business: a `stream_id` of the caller's would end in somebody else's lane.
    this.#webSocket = only(new Set(['generate']));
    this.#common = inner(
      Object.fromEntries(
        Object.entries(params).filter(([name]) => !sseOnlyFields.has(name) && !webSocketOnlyFields.has(name)),
      ),
    );
  }

  frame(): string {
    return join(create, this.#webSocket, this.#common);
  }

  /** The size of the frame, at most: known without making it. */
  get frameBytes(): number {
    return (
      Buffer.byteLength(create) + Buffer.byteLength(this.#webSocket) + Buffer.byteLength(this.#common) + '{,,}'.length
    );
  }

  body(): string {
    return join('"stream":true', this.#sse, this.#common);
  }
}

const create = '"type":"response.create"';

/** Tools that the client runs itself, and those that only read. What is not listed may act on the world. */
const harmless: ReadonlySet<string> = new Set([
  'custom',
  'file_search',
  'function',
  'tool_search',
  'web_search',
  'web_search_preview',
]);

function withoutEffects(tools: unknown): boolean {
  if (tools === undefined || tools === null) return true;
  return (
    Array.isArray(tools) &&
    tools.every((tool: { type?: unknown } | null) => typeof tool?.type === 'string' && harmless.has(tool.type))
  );
}

/** The caller's fields, each read once: an object may have getters, and these may throw. */
function fieldsOf(given: unknown): TurnParams {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    const kind = given === null || given === undefined ? String(given) : `a ${typeof given}`;
    throw invalid(`a turn takes an object such as { model, input }, not ${Array.isArray(given) ? 'an array' : kind}`);
  }
  try {
    return { ...given };
  } catch (cause) {
    throw invalid(`the request cannot be read: ${firstLine(cause)}`, cause);
  }
}

function inner(fields: object): string {
  try {
    return JSON.stringify(fields).slice(1, -1);
  } catch (cause) {
    throw invalid(`the request cannot be written as JSON: ${firstLine(cause)}`, cause);
  }
}

function firstLine(cause: unknown): string {
  return cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
}

function join(...parts: string[]): string {
  return `{${parts.filter((part) => part !== '').join(',')}}`;
}

function invalid(message: string, cause?: unknown): TurnwireError {
  return new TurnwireError('invalid_request', message, { cause });
}

import type { Json } from '../json/json.js';
import type { ForeignItem, InputItem } from './items.js';

/**
 * What a turn asks for: the body of `POST /v1/responses`, the same over both transports. Fields that are not named here pass
 * through as they are (P35). `stream` is the transport's business and is ignored.
 */
export interface TurnParams {
  model?: string;
  input?: string | readonly (InputItem | ForeignItem)[];
  instructions?: string | null;
  /** Continue the chain that ends in this response: `input` then holds only what is new. Excludes `conversation` (P39). */
  previous_response_id?: string | null;
  /** `true` by default, on the server: the response can be continued from any connection, and read back by its id. */
  store?: boolean | null;
  tools?: readonly unknown[];
  /** `false` is a warm-up without an answer, over a WebSocket only (P38). */
  generate?: boolean;
  [field: string]: unknown;
}

/**
 * The same as another package declares it: `OpenAI.Responses.ResponseCreateParams`, for one. It has no index signature, which `TurnParams`
 * asks for; its fields pass through in the same way.
 */
export interface ForeignTurnParams {
  readonly model?: string;
  readonly input?: string | readonly ForeignItem[];
  readonly instructions?: string | null;
  readonly previous_response_id?: string | null;
  readonly store?: boolean | null;
  readonly tools?: readonly unknown[];
}

/** Fields that a WebSocket does not take (P30, P36, P37). */
export const sseOnlyFields: ReadonlySet<string> = new Set(['stream', 'stream_options', 'background']);

/** Fields that HTTP does not take: some servers answer 400 (P30). */
export const webSocketOnlyFields: ReadonlySet<string> = new Set(['type', 'stream_id', 'generate']);

/** `input` as items: a string is one message of the user. undefined for what is neither a string nor an array. */
export function itemsOf(input: Json): Json[] | undefined {
  if (typeof input === 'string') return [{ type: 'message', role: 'user', content: input }];
  return Array.isArray(input) ? input : undefined;
}

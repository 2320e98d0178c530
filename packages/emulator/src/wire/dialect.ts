import { Refusal, type ErrorShape } from './refusal.js';
import { isRecord } from './wire.js';

/** The names of the dialects. */
export const dialectNames = ['openai', 'azure', 'xai', 'vercel', 'openresponses', 'chatgpt'] as const;

export type DialectName = (typeof dialectNames)[number];

/**
 * Which responses a connection forgets when a turn ends badly (P72): the one its lane `continued`, the `latest` whatever the
 * turn named, or, after `response.failed`, the whole `chain`, stored responses included.
 */
export type Eviction = 'continued' | 'latest' | 'chain';

/** Where a connection that is too old ends (P74): refusing its `next-turn`, when it is `idle`, or in `mid-turn`. */
export type AgeLimit = 'next-turn' | 'idle' | 'mid-turn';

/** What carries a request: some fields exist on one of the two only (P30). */
export type Protocol = 'http' | 'websocket';

/** How one provider's server differs from the others, as far as it is known. */
export interface Dialect {
  /** Where its base URL is; each dialect answers at every base. */
  readonly basePath: '/v1' | '/backend-api/codex';
  /** Named lanes a connection may have in its life; 0: `stream_id` is refused. */
  readonly lanes: number;
  /** Turns of one connection that run at once; more of them wait. */
  readonly inFlightTurns: number;
  readonly connectionAgeMs: number;
  readonly ageLimit: AgeLimit;
  /** Whether the age limit is told in an error frame, and the code the socket closes with. */
  readonly ageError: boolean;
  readonly ageCloseCode: number;
  /** No frame, ping or pong in either direction for this long closes with 1001; 0: never. */
  readonly idleMs: number;
  readonly frameBytes: number;
  /** Of error frames. */
  readonly errorShape: ErrorShape;
  readonly closesAfterError: boolean;
  readonly oneModelPerConnection: boolean;
  readonly eviction: Eviction;
  /** Whether a response with `store: false` can be continued on its connection. */
  readonly continuesUnstored: boolean;
  readonly instructionsWithId: boolean;
  readonly steering: boolean;
  /** Whether a create must say `store: false`. */
  readonly neverStores: boolean;
  /** Whether the terminal event of a turn has `output: []`, whatever the turn said. */
  readonly emptyTerminalOutput: boolean;
  /** Whether limits and a routing token of the account come with its answers (P10, P60). */
  readonly accountStatus: boolean;
  /** Create fields a socket refuses, by name. */
  readonly refusedOnSocket: readonly string[];
  /** Whether a create whose fields stand under `response` closes the socket with 1011 instead of being refused (P11). */
  readonly closesOnNestedBody: boolean;
  /** What the events of the reasoning itself are called, without `.delta` and `.done`. */
  readonly reasoningEvents: string;
  /** Whether a reasoning item always has a `status`. OpenAI's has one only where it is not finished. */
  readonly reasoningStatus: boolean;
  /** Whether an SSE body ends with `data: [DONE]` (P23). */
  readonly doneMarker: boolean;
  /** Whether an echo calls the first function it is offered though no `tool_choice` demands it. */
  readonly callsUnasked: boolean;
}

const minute = 60_000;
const mib = 1024 * 1024;

const openAiDialect: Dialect = {
  basePath: '/v1',
  lanes: 32,
  inFlightTurns: 16,
  connectionAgeMs: 60 * minute,
  ageLimit: 'next-turn',
  ageError: true,
  // The code that follows the error is not known (P135).
  ageCloseCode: 1000,
  idleMs: 0,
  frameBytes: 16 * mib,
  errorShape: 'nested',
  closesAfterError: false,
  oneModelPerConnection: false,
  eviction: 'continued',
  continuesUnstored: true,
  instructionsWithId: true,
  steering: true,
  neverStores: false,
  emptyTerminalOutput: false,
  accountStatus: false,
  refusedOnSocket: [],
  closesOnNestedBody: false,
  reasoningEvents: 'response.reasoning_text',
  reasoningStatus: false,
  doneMarker: false,
  callsUnasked: false,
};

/** One turn at a time, no names (P11, P12, P112). */
const oneLane = { lanes: 0, inFlightTurns: 1, eviction: 'latest', steering: false } as const;

/** Each row says what differs from OpenAI, and only that; a fact nobody has published is not imitated. */
export const dialectTable: Readonly<Record<DialectName, Dialect>> = {
  openai: openAiDialect,
  // P11
  azure: { ...openAiDialect, ...oneLane, closesOnNestedBody: true },
  // P12
  xai: {
    ...openAiDialect,
    ...oneLane,
    connectionAgeMs: 25 * minute,
    ageLimit: 'idle',
    errorShape: 'typeless',
    continuesUnstored: false,
    instructionsWithId: false,
    // The AI SDK's provider for xAI refuses an answer without it.
    reasoningStatus: true,
  },
  // P13
  vercel: {
    ...openAiDialect,
    ...oneLane,
    connectionAgeMs: 13 * minute,
    ageLimit: 'mid-turn',
    ageError: false,
    ageCloseCode: 1001,
    idleMs: 5 * minute,
    frameBytes: 4 * mib,
    closesAfterError: true,
    oneModelPerConnection: true,
    eviction: 'chain',
  },
  // P23, P36, P112, P113; warm-up is not part of it (P38); the suite asks for a call by its words alone (P114)
  openresponses: {
    ...openAiDialect,
    ...oneLane,
    refusedOnSocket: ['stream', 'stream_options', 'background', 'generate'],
    // As its document names them; OpenAI's SDK has the other names.
    reasoningEvents: 'response.reasoning',
    doneMarker: true,
    callsUnasked: true,
  },
  // P18; whether it has lanes is not known (P125), so they are off, as for the proxy that was refused one
  chatgpt: {
    ...openAiDialect,
    basePath: '/backend-api/codex',
    lanes: 0,
    inFlightTurns: 1,
    neverStores: true,
    emptyTerminalOutput: true,
    accountStatus: true,
  },
};

/** Refuses what this dialect does not know, of a body that is otherwise a valid create. */
export function refuseUnsupportedFields(dialect: Dialect, body: unknown, protocol: Protocol): void {
  if (!isRecord(body)) return;
  const isGiven = (param: string) => body[param] !== undefined && body[param] !== null;
  const foreign = protocol === 'websocket' ? dialect.refusedOnSocket.find(isGiven) : undefined;
  if (foreign !== undefined) {
    const message = `Unknown parameter: '${foreign}'; leave it out on a WebSocket.`;
    throw new Refusal(message, { code: 'unknown_parameter', param: foreign });
  }
  if (dialect.neverStores && body['store'] !== false) {
    throw new Refusal('Store must be set to false', { code: 'invalid_value', param: 'store' });
  }
  if (dialect.instructionsWithId || !isGiven('instructions') || !isGiven('previous_response_id')) return;
  throw new Refusal("'instructions' cannot be used with 'previous_response_id': leave out one of them.", {
    code: 'invalid_request_error',
    param: 'instructions',
  });
}

/** The code that follows an error frame where errors end the connection (P13). */
export function closeCodeAfter(refusal: Refusal): number {
  if (refusal.status === 402) return 4402;
  return refusal.status >= 500 ? 1011 : 1008;
}

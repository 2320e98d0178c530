import { Refusal, type ErrorShape } from './refusal.js';
import { isRecord } from './wire.js';

/** The names of the dialects, as the option `dialect` takes them. */
export const dialectNames = ['openai', 'azure', 'xai', 'vercel', 'openresponses', 'chatgpt'] as const;

export type DialectName = (typeof dialectNames)[number];

/**
 * Which responses a connection forgets when a turn is refused or fails (P72). `continued`: the response that the turn continued. `latest`:
 * the latest response of the lane, whatever the turn named. `chain`: after `response.failed`, the whole chain, stored responses included.
 */
export type Eviction = 'continued' | 'latest' | 'chain';

/** When a connection beyond its age limit ends (P74): at its `next-turn`, which is refused, as soon as it is `idle`, or in `mid-turn`. */
export type AgeLimit = 'next-turn' | 'idle' | 'mid-turn';

/** The protocol by which a create came. Some of its fields exist in one of the two only (P30). */
export type Protocol = 'http' | 'websocket';

/** How the server of one provider differs from other servers, as far as the differences are known. */
export interface Dialect {
  /** The path of its base URL. An emulator of any dialect also answers at the paths of the others. */
  readonly basePath: '/v1' | '/backend-api/codex';
  /** How many named lanes a connection may use in its life. With 0, `stream_id` is refused. */
  readonly lanes: number;
  /** How many turns of one connection run at the same time. Further turns wait. */
  readonly inFlightTurns: number;
  readonly connectionAgeMs: number;
  readonly ageLimit: AgeLimit;
  /** Whether an error frame announces the age limit. */
  readonly ageError: boolean;
  /** The code with which the socket closes at the age limit. */
  readonly ageCloseCode: number;
  /** The socket closes with 1001 after this many milliseconds without a frame, ping or pong in either direction; 0: never. */
  readonly idleMs: number;
  readonly frameBytes: number;
  /** The form of error frames. */
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
  /** Whether answers carry the rate limits and a routing token of the account (P10, P60). */
  readonly accountStatus: boolean;
  /** The names of the fields of a create that are refused on a socket. */
  readonly refusedOnSocket: readonly string[];
  /** Whether a create whose fields stand under `response` closes the socket with 1011 instead of being refused (P11). */
  readonly closesOnNestedBody: boolean;
  /** The type of the events with the text of the reasoning, without `.delta` and `.done`. */
  readonly reasoningEvents: string;
  /** Whether a reasoning item always has a `status`. OpenAI's items have one only if they are not finished. */
  readonly reasoningStatus: boolean;
  /** Whether an SSE body ends with `data: [DONE]` (P23). */
  readonly doneMarker: boolean;
  /** Whether the echo calls the first function that it is offered, even if `tool_choice` does not demand a call. */
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

/** The fields of a server whose connections run one turn at a time and have no named lanes (P11, P12, P112). */
const oneLane = { lanes: 0, inFlightTurns: 1, eviction: 'latest', steering: false } as const;

/** Each row has the differences from OpenAI alone. A difference that nobody has published is not imitated. */
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
    // The AI SDK's provider for xAI refuses a reasoning item without a status.
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
  // P23, P36, P112, P113; it has no warm-up (P38); its compliance suite expects a call though only the text of the request asks for one (P114)
  openresponses: {
    ...openAiDialect,
    ...oneLane,
    refusedOnSocket: ['stream', 'stream_options', 'background', 'generate'],
    // The names in the OpenResponses document; OpenAI's SDK has the others.
    reasoningEvents: 'response.reasoning',
    doneMarker: true,
    callsUnasked: true,
  },
  // P18; whether it has lanes is not known (P125). A proxy that sent a `stream_id` was refused, so lanes are off.
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

/** Refuses the fields of a valid create that the dialect does not take. */
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

/** The code with which a connection closes after an error frame, in a dialect in which errors end the connection (P13). */
export function closeCodeAfter(refusal: Refusal): number {
  if (refusal.status === 402) return 4402;
  return refusal.status >= 500 ? 1011 : 1008;
}

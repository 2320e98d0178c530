import type { DialectName, EmulatorOptions, Script } from '@turnwire/emulator';
import type { Deviations, Json, Reply } from './deviating-server.js';

/** How a server deviates: by a fault or an option of the emulator, or by what stands before it. */
export interface Deviating {
  emulator?: EmulatorOptions;
  server?: Deviations;
  /** @default that of the dialect, which is openai by default */
  profile?: string;
  /** Seconds that an answer may take. @default 1 */
  timeout?: number;
  /** The sentence of the rule about the deviation. */
  says: RegExp;
}

const notFound: Reply = {
  status: 404,
  body: '{"error":{"message":"Not found","type":"invalid_request_error","code":null,"param":null}}',
};
const page: Reply = { status: 403, headers: { 'content-type': 'text/html' }, body: '<h1>Forbidden</h1>' };
const unavailable: Reply = {
  status: 503,
  body: '{"error":{"message":"Later","type":"server_error","code":null,"param":null}}',
};
const badRequest: Reply = {
  status: 400,
  body: '{"error":{"message":"Bad","type":"invalid_request_error","code":null,"param":null}}',
};

const fault = (text: string, on: object = {}): EmulatorOptions => ({ faults: [{ on, do: text }] });
const dialect = (name: DialectName): EmulatorOptions => ({ dialect: name });
const edited = (edit: (event: Json) => Json): Deviations => ({ event: (event) => [edit(event)] });
/** Changes the response of terminal events. */
const inResponse = (edit: (response: Json) => Json): Deviations =>
  edited((event) =>
    typeof event['response'] === 'object' ? { ...event, response: edit(event['response'] as Json) } : event,
  );
const without = (json: Json, ...fields: readonly string[]): Json =>
  Object.fromEntries(Object.entries(json).filter(([field]) => !fields.includes(field)));
const onWebSocket = (edit: (event: Json) => readonly Json[]): Deviations => ({
  event: (event, transport) => (transport === 'websocket' ? edit(event) : [event]),
});
const errorsEdited = (edit: (event: Json) => Json): Deviations =>
  edited((event) => (event['type'] === 'error' ? edit(event) : event));
const answering =
  (
    matches: (asked: { method: string; path: string; body: string }) => boolean,
    reply: Reply,
  ): NonNullable<Deviations['answer']> =>
  (asked) =>
    matches(asked) ? reply : undefined;
/** From the n-th on. */
const fromThe = (number: number, kind: 'POST' | 'UPGRADE', reply: Reply): Deviations => {
  let count = 0;
  return { answer: ({ method }) => (method === kind && (count += 1) >= number ? reply : undefined) };
};
/** Echoes, but for the turns that a check leaves, steers or interrupts: they take a while. */
export const longTurns: Script = {
  rules: [{ match: { input: 'Count from one' }, reply: { text: 'one, two, three', pace: { first_token_ms: 500 } } }],
  after: 'echo',
};
const slow: EmulatorOptions = { latency: { firstTokenMs: 30, tokensPerSecond: 200 } };
const answered: Reply = {
  status: 200,
  body: '{"object":"response","id":"resp_1","status":"completed","output":[{"type":"message"}]}',
};
const swallowing = (matches: (json: Json) => boolean): Deviations => ({
  toServer: (json) => (matches(json) ? undefined : json),
});

/** For each rule a server that it finds. */
export const deviations: Readonly<Record<string, Deviating>> = {
  'connecting/get-without-upgrade': {
    server: { answer: answering(({ method, path }) => method === 'GET' && path === 'responses', notFound) },
    says: /status 404; 426/,
  },
  'connecting/head': { server: { answer: answering(({ method }) => method === 'HEAD', notFound) }, says: /status 404/ },
  'connecting/upgrade': {
    emulator: fault('refuse status=404', { transport: 'websocket' }),
    says: /refused with status 404/,
  },
  'connecting/beta-header': {
    server: {
      answer: ({ method, headers }) => (method === 'UPGRADE' && headers['openai-beta'] ? badRequest : undefined),
    },
    says: /another WebSocket does not open: .* 400/,
  },
  'connecting/ping': { emulator: fault('no-pong', { transport: 'websocket' }), says: /no pong came/ },
  'connecting/close': {
    emulator: fault('black-hole after=open', { transport: 'websocket' }),
    says: /answered with 1006/,
  },
  'connecting/key-missing': {
    server: { answer: ({ headers }) => (headers.authorization === undefined ? page : undefined) },
    says: /status 403; 401/,
  },
  'connecting/key-wrong': {
    server: { answer: ({ headers }) => (headers.authorization?.includes('nobody') ? page : undefined) },
    says: /status 403; 401/,
  },
  'connecting/upgrade-key-missing': {
    server: {
      answer: ({ headers, method }) =>
        headers.authorization === undefined && method !== 'UPGRADE' ? { ...notFound, status: 401 } : undefined,
    },
    says: /opened without a key/,
  },

  'sse/answers': { emulator: fault('drop', { transport: 'sse' }), says: /without a terminal event/ },
  'sse/event-names': { server: { stream: (text) => text.replaceAll(/^event: .*\n/gm, '') }, says: /is missing/ },
  'sse/data': { server: { stream: (text) => `data: hello\n\n${text}` }, says: /no JSON object.*hello/ },
  'sse/lines': { server: { stream: (text) => `HTTP 200 OK\n${text}` }, says: /HTTP 200 OK/ },
  'sse/no-ids': {
    emulator: dialect('openresponses'),
    server: { stream: (text) => text.replace('event:', 'id: 1\nevent:') },
    says: /id line/,
  },
  'sse/done': {
    emulator: dialect('openresponses'),
    server: { stream: (text) => text.replace('data: [DONE]\n\n', '') },
    says: /does not end with data: \[DONE\]/,
  },
  'sse/end': { emulator: fault('end after=terminal', { transport: 'sse' }), says: /cut/ },
  'sse/prompt': {
    // The proxy in front reads the whole stream before it passes the first event on.
    emulator: {
      script: {
        rules: [{ match: { input: 'Count from one' }, reply: { text: 'one', pace: { first_token_ms: 1300 } } }],
        after: 'echo',
      },
    },
    server: {},
    timeout: 10,
    says: /holds the stream back/,
  },
  'sse/json': {
    server: { answer: answering(({ method }) => method === 'POST', { ...page, status: 200 }) },
    says: /content type text\/html/,
  },

  'transports/websocket-answers': {
    emulator: fault('error after=2', { transport: 'websocket' }),
    says: /the turn ended with .*server_error/,
  },
  'transports/frames': {
    server: { frames: (text) => (text.includes('"response.completed"') ? [text, '[DONE]'] : [text]) },
    says: /no JSON object/,
  },
  'transports/several-turns': {
    emulator: fault('close after=terminal code=1000', { transport: 'websocket' }),
    says: /closed with 1000/,
  },
  'transports/same-events': {
    server: onWebSocket((event) => (event['type'] === 'response.content_part.done' ? [] : [event])),
    says: /over SSE a message comes as/,
  },
  'transports/same-response': {
    server: onWebSocket((event) =>
      event['response'] === undefined
        ? [event]
        : [{ ...event, response: without(event['response'] as Json, 'metadata') }],
    ),
    says: /over SSE: .*metadata/,
  },
  'transports/same-refusal': {
    server: onWebSocket((event) =>
      event['error'] === undefined ? [event] : [{ ...event, error: { ...(event['error'] as Json), code: 'other' } }],
    ),
    says: /other on a WebSocket/,
  },

  'events/created-first': { emulator: fault('drop event=1'), says: /the first event is response.in_progress/ },
  'events/in-progress': { emulator: fault('drop event=response.in_progress'), says: /is missing/ },
  'events/items': { emulator: fault('drop event=response.output_item.done'), says: /the item 0 is open/ },
  'events/parts': { emulator: fault('drop event=response.content_part.added'), says: /which is not open/ },
  'events/text': {
    server: edited((event) => (event['type'] === 'response.output_text.delta' ? { ...event, delta: 'x' } : event)),
    says: /do not add up/,
  },
  'events/sequence-numbers': {
    server: edited((event) => without(event, 'sequence_number')),
    says: /over SSE: response.created has no sequence_number/,
  },
  'events/one-id': { emulator: fault('wrong-id after=1'), says: /name the responses/ },
  'events/terminal': { emulator: fault('repeat'), says: /comes behind the terminal event/ },
  'events/terminal-output': { emulator: fault('empty-output'), says: /the terminal response has \[\]/ },
  'events/usage': {
    server: inResponse((response) => ({ ...response, usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 } })),
    says: /cached_tokens is missing/,
  },
  'events/fields': { server: inResponse((response) => without(response, 'tool_choice')), says: /lacks tool_choice/ },
  'events/specified-fields': {
    emulator: dialect('openresponses'),
    server: inResponse((response) => without(response, 'background')),
    says: /lacks background/,
  },
  'events/specified-types': {
    emulator: dialect('openresponses'),
    server: {
      event: (event) => (event['type'] === 'response.created' ? [event, { type: 'keepalive' }] : [event]),
    },
    says: /keepalive is no event/,
  },
  'events/function-call': {
    server: edited((event) =>
      event['type'] === 'response.output_item.done'
        ? { ...event, item: without(event['item'] as Json, 'call_id') }
        : event,
    ),
    says: /no call_id/,
  },

  'errors/http-envelope': {
    server: { answer: answering(({ method }) => method === 'POST', { status: 422, body: '{"detail":"model"}' }) },
    says: /the body is not/,
  },
  'errors/http-stream-envelope': {
    server: { answer: answering(({ method }) => method === 'POST', { status: 200, body: 'event: error' }) },
    says: /status 200/,
  },
  'errors/http-invalid-json': {
    server: { answer: answering(({ method }) => method === 'POST', unavailable) },
    says: /status 503/,
  },
  'errors/exclusive-fields': {
    server: { answer: answering(({ method }) => method === 'POST', answered) },
    says: /status 200/,
  },
  'errors/websocket-envelope': {
    server: errorsEdited((event) => ({ ...(event['error'] as Json), type: 'error' })),
    says: /stands flat/,
  },
  'errors/websocket-status': {
    server: errorsEdited((event) => without(event, 'status')),
    says: /the status is undefined/,
  },
  'errors/websocket-goes-on': { emulator: dialect('vercel'), profile: 'openai', says: /closed with 1008/ },
  'errors/websocket-invalid-json': { server: swallowing(() => true), says: /nothing came/ },
  'errors/websocket-nested-body': { server: swallowing(() => true), says: /nothing came/ },

  'state/unknown-id-http': {
    server: { toServer: (json) => without(json, 'previous_response_id') },
    says: /status 200/,
  },
  'state/unknown-id-websocket': {
    server: { toServer: (json) => without(json, 'previous_response_id') },
    says: /the create was not refused/,
  },
  'state/continues': {
    server: inResponse((response) => ({ ...response, previous_response_id: null })),
    says: /previous_response_id is null/,
  },
  'state/context': {
    server: { toServer: (json) => without(json, 'previous_response_id') },
    says: /answered without its context/,
  },
  'state/tool-result': { emulator: fault('forget', { turn: 2 }), says: /previous_response_not_found/ },
  'state/unstored-elsewhere': {
    server: { toServer: (json) => ({ ...json, store: true }) },
    says: /the create was not refused/,
  },
  'state/stored-elsewhere': {
    server: { toServer: (json) => ({ ...json, store: false }) },
    says: /no answer|should succeed/,
  },
  'state/store-told': { server: inResponse((response) => ({ ...response, store: true })), says: /store is true/ },
  'state/retrieve': {
    server: { answer: answering(({ path, method }) => method === 'GET' && path.startsWith('responses/'), notFound) },
    says: /status 404/,
  },
  'state/eviction': { server: { toServer: (json) => ({ ...json, store: true }) }, says: /the create was not refused/ },
  'state/isolation': { emulator: { credentials: 'shared' }, says: /another key was answered with status 200/ },

  'lanes/queue': {
    server: {
      refuse: (number) =>
        number === 2
          ? { type: 'error', status: 400, error: { type: 'invalid_request_error', code: 'busy' } }
          : undefined,
    },
    says: /a create was refused/,
  },
  'lanes/names': { server: edited((event) => without(event, 'stream_id')), says: /has the stream_id undefined/ },
  'lanes/concurrent': { emulator: { ...slow, limits: { inFlightTurns: 1 } }, says: /began only when/ },
  'lanes/fifo': {
    emulator: slow,
    server: (() => {
      let lane = 0;
      return { toServer: (json: Json) => ({ ...json, stream_id: `lane-${(lane += 1)}` }) };
    })(),
    says: /began before the first one had ended/,
  },
  'lanes/fork': { emulator: fault('forget', { turn: 2 }), says: /previous_response_not_found/ },
  'lanes/invalid-name': { emulator: dialect('azure'), profile: 'openai', says: /unknown_parameter/ },
  'lanes/limit': { emulator: { limits: { lanes: 40 } }, says: /websocket_stream_limit_reached is expected/ },

  'turns/warm-up': { server: { toServer: (json) => without(json, 'generate') }, says: /a warm-up has no output/ },
  'turns/warm-up-continues': { emulator: fault('forget', { turn: 2 }), says: /previous_response_not_found/ },
  'turns/steer-unknown': { emulator: dialect('azure'), profile: 'openai', says: /the answer is error/ },
  'turns/steer': {
    emulator: { script: longTurns },
    timeout: 3,
    server: {
      event: (event) =>
        event['type'] === 'response.created' && (event['response'] as Json)['previous_response_id'] !== null
          ? []
          : [event],
    },
    says: /did not come: timeout/,
  },
  'turns/interrupt': {
    emulator: { script: longTurns },
    timeout: 3,
    server: inResponse((response) =>
      response['status'] === 'incomplete' ? { ...response, incomplete_details: { reason: 'cancelled' } } : response,
    ),
    says: /reason "cancelled"/,
  },
  'turns/abort-http': { server: fromThe(2, 'POST', unavailable), says: /status 503/ },
  'turns/abort-websocket': { server: fromThe(2, 'UPGRADE', unavailable), says: /another WebSocket does not open/ },
  'turns/compaction': {
    server: {
      toServer: (json) => ({
        ...json,
        input: (json['input'] as readonly Json[]).filter(({ type }) => type !== 'compaction_trigger'),
      }),
    },
    says: /the output items are message/,
  },

  'clients/accept': {
    server: {
      answer: ({ headers, method }) =>
        method === 'POST' && headers.accept === 'application/json' ? answered : undefined,
    },
    says: /status 200 and application\/json/,
  },
  'clients/headers': {
    server: { answer: ({ headers }) => (headers['originator'] === undefined ? undefined : badRequest) },
    says: /status 400/,
  },
  'clients/unknown-fields': {
    server: { answer: answering(({ body }) => body.includes('client_metadata'), badRequest) },
    says: /status 400/,
  },
  'clients/stream-in-frame': { emulator: dialect('openresponses'), profile: 'openai', says: /unknown_parameter/ },
  'clients/processed': {
    server: { toServer: (json) => (json['type'] === 'response.processed' ? { type: 'nonsense' } : json) },
    says: /should succeed/,
  },
  'clients/history': {
    server: { answer: answering(({ body }) => body.includes('function_call_output'), badRequest) },
    says: /status 400/,
  },
  'clients/compressed-body': {
    server: {
      answer: ({ headers }) =>
        headers['content-encoding'] === undefined
          ? undefined
          : { ...badRequest, body: badRequest.body?.replace('Bad', 'Invalid JSON') ?? '' },
    },
    says: /in gzip with "400/,
  },
  'clients/models': { server: { answer: answering(({ path }) => path === 'models', notFound) }, says: /status 404/ },
};

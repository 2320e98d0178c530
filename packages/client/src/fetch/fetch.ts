import { bodyShare } from '../base/bounds.js';
import { systemClock } from '../base/clock.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import { createResponse } from './response/create-response.js';
import { parseTurn, matchTurn } from './request/turn-call.js';
import { readToEnd } from './response/read-to-end.js';
import { eventStream } from './response/event-stream.js';
import { abortOf, brokenBodyError, isResponseEnd, networkError } from './response/fetch-error.js';
import { IdentityClients } from './identity-clients.js';
import { BodyCache } from './request/body-cache.js';
import { characters } from './request/body-text.js';
import { responseText } from './response/response-text.js';
import { headersIn } from './response/metadata-headers.js';
import { readFirstFrames } from './response/first-frames.js';
import {
  failedMidwayResponse,
  fetchFailureOf,
  errorResponse,
  unknownOutcomeResponse,
} from './response/error-response.js';
import { checkArguments } from './request/check-arguments.js';
import { checkFetchOptions, settingsFor } from './settings.js';
import type { Frame } from '../protocol/frame.js';
import type { EventReader } from '../turn/buffer/event-buffer.js';
import type { PlainResponse } from '../transport/transport.js';
import type { Turn } from '../turn/turn.js';
import type { TurnCall } from './request/turn-call.js';
import type { FinalFrame } from './response/read-to-end.js';
import type { ClientLease } from './identity-clients.js';
import type { FetchOptions, TurnwireFetch } from './options.js';

/**
 * A `fetch` that carries the turns of an SDK over WebSockets, and hands everything else to the ordinary one.
 *
 * A turn is a POST with a JSON body to a path that ends in `/responses`, streaming or not, and not in the background. The address and the headers
 * of the request are those of the handshake: no two identities share a connection. Makes no connection until the first turn.
 *
 * What the server says before the first event decides about the status, so that each SDK throws its own errors. A turn that was lost after it may
 * have run is told in a way that no SDK repeats: docs/fetch.md has the table.
 *
 * @throws TurnwireError `invalid_option`, in one sentence.
 */
export function createFetch(options?: FetchOptions): TurnwireFetch;
export function createFetch(...given: readonly unknown[]): TurnwireFetch {
  checkArguments(given);
  return fetchOf(given[0] as FetchOptions | undefined);
}

function fetchOf(options: FetchOptions = {}): TurnwireFetch {
  // Looked up at each call, so that a mock of a test is used; the fetch from before, if this one has taken the place of `globalThis.fetch` itself.
  const before = globalThis.fetch;
  const ordinary: typeof globalThis.fetch = (...args) => {
    const { fetch: given = globalThis.fetch === fetch ? before : globalThis.fetch } = options;
    return given(...args);
  };
  const { maxChainBytes, ...common } = checkFetchOptions(options, ordinary);
  const clients = new IdentityClients({
    settings: (identity) => settingsFor(identity, common),
    clock: systemClock,
    maxChainBytes,
    onSuspect: common.onSuspect,
  });
  const bodies = new BodyCache(characters, maxChainBytes * bodyShare);
  const counts = { turns: 0, deltas: 0, sse: 0, passed: 0 };

  const pass: typeof globalThis.fetch = (...args) => {
    counts.passed += 1;
    return ordinary(...args);
  };

  const carry = async (call: TurnCall, lease: ClientLease): Promise<Response> => {
    if (counts.turns === 0) common.warnOfReplacedFetch(fetch);
    counts.turns += 1;
    const parts: AnswerParts = {
      received: {},
      plain: undefined,
      read: () => {
        call.body.keep();
        lease.memoryGrown();
      },
    };
    const turn = lease.client.turnAsText(
      call.body.params,
      { signal: call.signal },
      {
        headers: { sent: call.headers.turn, onReceived: (headers) => (parts.received = headers) },
        plain: call.streams ? undefined : { body: call.text, onResponse: (answer) => (parts.plain = answer) },
        onSettled: ({ report }) => {
          if (report.transport === 'sse') counts.sse += 1;
          else if (report.plan === 'delta') counts.deltas += 1;
          lease.release();
        },
      },
    );
    return call.streams ? streamed(turn, call, parts) : whole(turn, call, parts);
  };

  const fetch = async (...args: Parameters<typeof globalThis.fetch>): Promise<Response> => {
    const outline = matchTurn(args, common.rules);
    if (outline === undefined) return pass(...args);
    const { url, headers, signal, read } = outline;
    // The ordinary fetch checks the signal first too.
    signal?.throwIfAborted();
    const text = read();
    const body = typeof text === 'object' ? await text : text;
    const call = body === undefined ? undefined : parseTurn(outline, body, bodies.read(body));
    if (call === undefined) return pass(...args);
    let lease: ClientLease;
    try {
      lease = clients.acquire({ url: url.href, headers: headers.identity, program: headers.program });
    } catch (error) {
      if (!(error instanceof TurnwireError)) throw error;
      if (error.code === 'client_closed') throw networkError(error);
      // An address that the engine refuses (`http:` to another machine, for one) goes to the ordinary fetch.
      common.onUnfit(error.message);
      return pass(...args);
    }
    call.release();
    return carry(call, lease);
  };

  const close = (): Promise<void> => {
    bodies.close();
    return clients.close();
  };
  return Object.assign(fetch, {
    close,
    destroy: () => {
      bodies.close();
      clients.destroy();
    },
    stats: () => ({ ...clients.stats, ...counts, identities: clients.size }),
    [Symbol.asyncDispose]: close,
  });
}

interface AnswerParts {
  /** The headers of the response, or of the upgrade. */
  received: Readonly<Record<string, string>>;
  /** A response that came as one body. */
  plain: PlainResponse | undefined;
  /** Called when the response was read to its end. */
  read: () => void;
}

async function streamed(turn: Turn, { url, signal }: TurnCall, parts: AnswerParts): Promise<Response> {
  const frames = turn.frames();
  const failed = (error: unknown): unknown => {
    const abort = abortOf(error, signal);
    return abort === undefined ? brokenBodyError(error) : abort.reason;
  };
  const respond = (firstFrames: readonly Frame[], rest: EventReader<Frame>): Response =>
    createResponse(eventStream(firstFrames, rest, { signal, failed, ended: parts.read }), {
      headers: Object.assign({ ...parts.received }, ...firstFrames.map(headersIn), {
        'content-type': 'text/event-stream; charset=utf-8',
      }),
      report: turn.report,
      url: url.href,
    });
  let firstFrames: readonly Frame[];
  try {
    firstFrames = await readFirstFrames(frames);
  } catch (error) {
    // An SDK does not repeat a call that has a response, however its body ends.
    const lost: EventReader<Frame> = { next: () => Promise.reject(error), poll: () => undefined };
    return answerTo(error, turn, { url, signal }, () => respond([], lost));
  }
  return respond(firstFrames, frames);
}

async function whole(turn: Turn, { url, signal }: TurnCall, parts: AnswerParts): Promise<Response> {
  let final: FinalFrame | undefined;
  const respond = (response: object): Response =>
    createResponse(responseText(response, final?.last), {
      headers: { ...parts.received, ...final?.headers, 'content-type': 'application/json' },
      report: turn.report,
      url: url.href,
    });
  try {
    final = await readToEnd(turn.frames());
    parts.read();
    if (parts.plain !== undefined) return plainResponse(parts.plain, turn, url, parts.received);
    return respond(await turn.response());
  } catch (error) {
    // A failed response is returned like any other: its status stands in it.
    const response = turn.responses.at(-1);
    if (isResponseEnd(error))
      return response === undefined ? failedMidwayResponse(error, turn.report, url.href) : respond(response);
    return answerTo(error, turn, { url, signal }, (lost) => unknownOutcomeResponse(lost, turn.report, url.href));
  }
}

/** The server's own response, unchanged, to a request that was sent unchanged. */
function plainResponse(
  { status, text }: PlainResponse,
  { report }: Turn,
  url: URL,
  headers: Readonly<Record<string, string>>,
): Response {
  const body = hasNoBody.has(status) ? null : text;
  return createResponse(body, { status, headers: { 'content-type': 'text/plain', ...headers }, report, url: url.href });
}

/** Statuses of a `Response` that must have no body. */
const hasNoBody: ReadonlySet<number> = new Set([204, 205]);

/** @param lost the response for a turn that may have run. */
function answerTo(
  error: unknown,
  turn: Turn,
  { url, signal }: Pick<TurnCall, 'url' | 'signal'>,
  lost: (error: TurnwireError) => Response,
): Response {
  const abort = abortOf(error, signal);
  if (abort !== undefined) throw abort.reason;
  if (!(error instanceof TurnwireError)) throw error;
  const { report } = turn;
  const failure = fetchFailureOf(error, report);
  if (failure.name === 'not_sent') throw networkError(error);
  return failure.name === 'refused' ? errorResponse(error, failure, report, url.href) : lost(error);
}

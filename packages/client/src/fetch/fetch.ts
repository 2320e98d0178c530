import { systemClock } from '../base/clock.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import { answer } from './answer.js';
import { callOf, outlineOf } from './call.js';
import { endingOf } from './ending.js';
import { eventStream } from './event-stream.js';
import { abortOf, brokenBody, notSent } from './fetch-error.js';
import { Identities } from './identities.js';
import { KnownBodies, bodyShare } from './known-bodies.js';
import { responseText } from './response-text.js';
import { headersIn } from './metadata.js';
import { openingOf } from './opening.js';
import { brokenOff, failureOf, refusal, unknownOutcome } from './refusal.js';
import { checkIsCall } from './not-called.js';
import { checkFetchOptions, settingsFor } from './settings.js';
import type { Frame } from '../protocol/frame.js';
import type { Reader } from '../turn/delivery.js';
import type { PlainResponse } from '../transport/transport.js';
import type { Turn } from '../turn/turn.js';
import type { Call } from './call.js';
import type { Ending } from './ending.js';
import type { Lease } from './identities.js';
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
  checkIsCall(given);
  return fetchOf(given[0] as FetchOptions | undefined);
}

function fetchOf(options: FetchOptions = {}): TurnwireFetch {
  // Looked up at each call: what a test puts into its place is asked. Where this fetch has taken its place itself, what was there before.
  const before = globalThis.fetch;
  const ordinary: typeof globalThis.fetch = (...args) => {
    const { fetch: given = globalThis.fetch === fetch ? before : globalThis.fetch } = options;
    return given(...args);
  };
  const { maxChainBytes, ...common } = checkFetchOptions(options, ordinary);
  const identities = new Identities({
    settings: (identity) => settingsFor(identity, common),
    clock: systemClock,
    maxChainBytes,
    onSuspect: common.onSuspect,
  });
  const bodies = new KnownBodies(maxChainBytes * bodyShare);
  const counts = { turns: 0, deltas: 0, sse: 0, passed: 0 };

  const pass: typeof globalThis.fetch = (...args) => {
    counts.passed += 1;
    return ordinary(...args);
  };

  const carry = async (call: Call, lease: Lease): Promise<Response> => {
    if (counts.turns === 0) common.noticeFetch(fetch);
    counts.turns += 1;
    const told: Told = {
      received: {},
      plain: undefined,
      read: () => {
        call.body.keep();
        lease.grown();
      },
    };
    const turn = lease.client.turnAsText(
      call.body.params,
      { signal: call.signal },
      {
        headers: { sent: call.headers.turn, onReceived: (headers) => (told.received = headers) },
        plain: call.streams ? undefined : { body: call.text, onResponse: (answer) => (told.plain = answer) },
        onSettled: ({ report }) => {
          if (report.transport === 'sse') counts.sse += 1;
          else if (report.plan === 'delta') counts.deltas += 1;
          lease.release();
        },
      },
    );
    return call.streams ? streamed(turn, call, told) : whole(turn, call, told);
  };

  const fetch = async (...args: Parameters<typeof globalThis.fetch>): Promise<Response> => {
    const outline = outlineOf(args, common.rules);
    if (outline === undefined) return pass(...args);
    const { url, headers, signal, read } = outline;
    // As the ordinary fetch does, before it looks at anything else.
    signal?.throwIfAborted();
    const text = read();
    const body = typeof text === 'object' ? await text : text;
    const call = body === undefined ? undefined : callOf(outline, body, bodies.read(body));
    if (call === undefined) return pass(...args);
    let lease: Lease;
    try {
      lease = identities.take({ url: url.href, headers: headers.identity, program: headers.program });
    } catch (error) {
      if (!(error instanceof TurnwireError)) throw error;
      if (error.code === 'client_closed') throw notSent(error);
      // An address that the engine does not dial, in plain text to another machine for one, is still the caller's to use.
      common.onUnfit(error.message);
      return pass(...args);
    }
    call.done();
    return carry(call, lease);
  };

  const close = (): Promise<void> => {
    bodies.close();
    return identities.close();
  };
  return Object.assign(fetch, {
    close,
    destroy: () => {
      bodies.close();
      identities.destroy();
    },
    stats: () => ({ ...identities.stats, ...counts, identities: identities.size }),
    [Symbol.asyncDispose]: close,
  });
}

interface Told {
  /** The head of the server's answer, or of its answer to the upgrade. */
  received: Readonly<Record<string, string>>;
  /** An answer that came as one body. */
  plain: PlainResponse | undefined;
  /** The answer was read to its end. */
  read: () => void;
}

async function streamed(turn: Turn, { url, signal }: Call, told: Told): Promise<Response> {
  const frames = turn.frames();
  const failed = (error: unknown): unknown => {
    const abort = abortOf(error, signal);
    return abort === undefined ? brokenBody(error) : abort.reason;
  };
  const respond = (opening: readonly Frame[], rest: Reader<Frame>): Response =>
    answer(eventStream(opening, rest, { signal, failed, ended: told.read }), {
      headers: Object.assign({ ...told.received }, ...opening.map(headersIn), {
        'content-type': 'text/event-stream; charset=utf-8',
      }),
      report: turn.report,
      url: url.href,
    });
  let opening: readonly Frame[];
  try {
    opening = await openingOf(frames);
  } catch (error) {
    // A call that was answered is not repeated by an SDK, however its body ends.
    const lost: Reader<Frame> = { next: () => Promise.reject(error), poll: () => undefined };
    return answerTo(error, turn, { url, signal }, () => respond([], lost));
  }
  return respond(opening, frames);
}

async function whole(turn: Turn, { url, signal }: Call, told: Told): Promise<Response> {
  let ending: Ending | undefined;
  const respond = (response: object): Response =>
    answer(responseText(response, ending?.last), {
      headers: { ...told.received, ...ending?.headers, 'content-type': 'application/json' },
      report: turn.report,
      url: url.href,
    });
  try {
    ending = await endingOf(turn.frames());
    told.read();
    if (told.plain !== undefined) return handedBack(told.plain, turn, url, told.received);
    return respond(await turn.response());
  } catch (error) {
    const isEnd = error instanceof TurnwireError && ended.has(error.code);
    // A response that failed is an answer like any other: its status stands in it.
    const response = turn.responses.at(-1);
    if (isEnd && response !== undefined) return respond(response);
    if (isEnd) return brokenOff(error, turn.report, url.href);
    return answerTo(error, turn, { url, signal }, (lost) => unknownOutcome(lost, turn.report, url.href));
  }
}

/** The server's own answer, unchanged, to a request that was sent unchanged. */
function handedBack(
  { status, text }: PlainResponse,
  { report }: Turn,
  url: URL,
  headers: Readonly<Record<string, string>>,
): Response {
  const body = hasNoBody.has(status) ? null : text;
  return answer(body, { status, headers: { 'content-type': 'text/plain', ...headers }, report, url: url.href });
}

/** A `Response` with one of these takes none. */
const hasNoBody: ReadonlySet<number> = new Set([204, 205]);

/** The response has ended, and not well: that is no failure of the turn. */
const ended: ReadonlySet<string> = new Set(['response_cancelled', 'response_failed']);

/** @param lost what is answered where the turn may have run. */
function answerTo(
  error: unknown,
  turn: Turn,
  { url, signal }: Pick<Call, 'url' | 'signal'>,
  lost: (error: TurnwireError) => Response,
): Response {
  const abort = abortOf(error, signal);
  if (abort !== undefined) throw abort.reason;
  if (!(error instanceof TurnwireError)) throw error;
  const { report } = turn;
  const failure = failureOf(error, report);
  if (failure.name === 'not_sent') throw notSent(error);
  return failure.name === 'refused' ? refusal(error, failure, report, url.href) : lost(error);
}

import { systemClock } from '../clock.js';
import { TurnwireError } from '../protocol/errors.js';
import { answer } from './answer.js';
import { callOf, outlineOf } from './call.js';
import { eventStream } from './event-stream.js';
import { Identities } from './identities.js';
import { openingOf } from './opening.js';
import { brokenOff, failureOf, refusal, unknownOutcome } from './refusal.js';
import { checkFetchOptions, settingsFor } from './settings.js';
import type { Turn } from '../turn/turn.js';
import type { Call } from './call.js';
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
export function createFetch(options: FetchOptions = {}): TurnwireFetch {
  const { maxChainBytes, ...common } = checkFetchOptions(options);
  const identities = new Identities({
    settings: (identity) => settingsFor(identity, common),
    clock: systemClock,
    maxChainBytes,
  });
  const counts = { turns: 0, deltas: 0, sse: 0, passed: 0 };

  const pass: typeof globalThis.fetch = (...args) => {
    counts.passed += 1;
    return (options.fetch ?? globalThis.fetch)(...args);
  };

  const carry = async (call: Call, lease: Lease): Promise<Response> => {
    counts.turns += 1;
    const received: Record<string, string> = {};
    const turn = lease.client.turnAsText(
      call.params,
      { signal: call.signal },
      {
        headers: { sent: call.headers.turn, received: (headers) => Object.assign(received, headers) },
        onSettled: ({ report }) => {
          if (report.transport === 'sse') counts.sse += 1;
          else if (report.plan === 'delta') counts.deltas += 1;
          lease.release();
        },
      },
    );
    return call.streams ? streamed(turn, call, received) : whole(turn, call, received);
  };

  const fetch = async (...args: Parameters<typeof globalThis.fetch>): Promise<Response> => {
    const outline = outlineOf(...args);
    if (outline === undefined) return pass(...args);
    const { url, headers, signal, read } = outline;
    // As the ordinary fetch does, before it looks at anything else.
    signal?.throwIfAborted();
    const text = read();
    const call = callOf(outline, typeof text === 'object' ? await text : text);
    if (call === undefined) return pass(...args);
    let lease: Lease;
    try {
      lease = identities.take({ url: url.href, headers: headers.identity });
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

  const close = (): Promise<void> => identities.close();
  return Object.assign(fetch, {
    close,
    stats: () => ({ ...identities.stats, ...counts, identities: identities.size }),
    [Symbol.asyncDispose]: close,
  });
}

async function streamed(turn: Turn, call: Call, received: Readonly<Record<string, string>>): Promise<Response> {
  const { signal } = call;
  const url = call.url.href;
  const frames = turn.frames();
  const failed = (error: unknown): unknown => asFetchError(error, signal, 'terminated');
  const respond = (body: ReadableStream<Uint8Array>): Response =>
    answer(body, {
      headers: { ...received, 'content-type': 'text/event-stream; charset=utf-8' },
      report: turn.report,
      url,
    });
  try {
    const opening = await openingOf(frames);
    return respond(eventStream(opening, frames, { signal, failed }));
  } catch (error) {
    const failure = failureBefore(error, turn, signal);
    if (failure.name === 'refused') return refusal(error as TurnwireError, failure, turn.report, url);
    if (failure.name === 'not_sent') throw notSent(error);
    // A call that was answered is not repeated by any SDK, however its body ends.
    return respond(
      eventStream([], { ...frames, next: () => Promise.reject(error), poll: () => undefined }, { signal, failed }),
    );
  }
}

async function whole(turn: Turn, call: Call, received: Readonly<Record<string, string>>): Promise<Response> {
  const url = call.url.href;
  try {
    const response = await turn.response();
    return answer(JSON.stringify(response), {
      headers: { ...received, 'content-type': 'application/json' },
      report: turn.report,
      url,
    });
  } catch (error) {
    // A response that failed is an answer like any other: its status stands in it.
    const response = turn.responses.at(-1);
    if (response !== undefined && isEnd(error))
      return answer(JSON.stringify(response), {
        headers: { ...received, 'content-type': 'application/json' },
        report: turn.report,
        url,
      });
    if (isEnd(error)) return brokenOff(error, turn.report, url);
    const failure = failureBefore(error, turn, call.signal);
    if (failure.name === 'refused') return refusal(error as TurnwireError, failure, turn.report, url);
    if (failure.name === 'not_sent') throw notSent(error);
    return unknownOutcome(error as TurnwireError, turn.report, url);
  }
}

/** The response ended, and not well: it is no failure of the turn. */
function isEnd(error: unknown): error is TurnwireError {
  return error instanceof TurnwireError && (error.code === 'response_failed' || error.code === 'response_cancelled');
}

function failureBefore(error: unknown, turn: Turn, signal: AbortSignal | undefined): ReturnType<typeof failureOf> {
  if (!(error instanceof TurnwireError) || error.code === 'aborted') throw asFetchError(error, signal, 'fetch failed');
  return failureOf(error, turn.report);
}

function notSent(error: unknown): unknown {
  return asFetchError(error, undefined, 'fetch failed');
}

/** As the ordinary fetch fails: with the caller's own reason, or a TypeError whose cause says more. SDKs know it by its message. */
function asFetchError(
  error: unknown,
  signal: AbortSignal | undefined,
  message: 'fetch failed' | 'terminated',
): unknown {
  if (signal?.aborted && (error === signal.reason || (error instanceof TurnwireError && error.code === 'aborted')))
    return signal.reason;
  return error instanceof TurnwireError ? new TypeError(message, { cause: error }) : error;
}

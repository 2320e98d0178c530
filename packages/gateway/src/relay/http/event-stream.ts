import { sseText } from '@turnwire/client/relay';
import { announceClose } from '../../base/lingering-close.js';
import { drained } from '../../upstream/pass-through.js';
import { setHeaders, turnHeaders } from './answer-headers.js';
import { refusalAnswer } from '../failure.js';
import type { RelayRefusal } from '@turnwire/client/relay';
import type { ServerResponse } from 'node:http';
import type { WholeAnswer } from '../../base/refusal.js';
import type { GatewayTurn } from '../turn.js';

/** The most characters that are written at once, where so many events have come already. */
const batchSize = 64 * 1024;

const comment = ': keep-alive\n\n';

const streamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  // Without this header nginx buffers events.
  'x-accel-buffering': 'no',
};

/**
 * Answers with the events of a turn, unchanged, and as fast as the client takes them. Where the upstream's answer breaks off, the connection to the client is
 * broken too: a body with a proper end would pass for a complete answer.
 */
export async function answerWithEvents(
  turn: GatewayTurn,
  response: ServerResponse,
  keepaliveMs: number,
): Promise<void> {
  const stream = new EventStream(response, keepaliveMs);
  response.once('close', () => turn.cancel());
  try {
    const opening = await turn.opening();
    if (opening.name !== 'begun') return stream.refuse(opening, turn);
    stream.begin({ ...opening.headers, ...turnHeaders(turn.report) });
    let batch = opening.events.map(sseText).join('');
    for (;;) {
      for (let event = turn.poll(); event !== undefined; event = turn.poll()) {
        batch += sseText(event);
        if (batch.length >= batchSize) break;
      }
      const room = batch === '' ? undefined : stream.write(batch);
      if (room !== undefined) await room;
      batch = '';
      const next = await turn.next();
      if (next === undefined) return stream.end();
      batch = sseText(next);
    }
  } catch {
    stream.breakOff();
  } finally {
    stream.stop();
  }
}

/** The body of a streaming answer. While no event comes, it writes comments, so that no proxy takes the connection for dead. */
class EventStream {
  readonly #response: ServerResponse;
  readonly #keepalive: NodeJS.Timeout;
  #isFull = false;

  constructor(response: ServerResponse, keepaliveMs: number) {
    this.#response = response;
    // The status is not known before the first event. The first comment sends 200, so a later refusal can only be an event.
    this.#keepalive = setInterval(() => this.#comment(), keepaliveMs);
  }

  begin(headers: Readonly<Record<string, string>>): void {
    if (this.#response.headersSent) return;
    setHeaders(this.#response, { ...headers, ...streamHeaders });
    this.#response.statusCode = 200;
  }

  /** Resolves once the client has taken enough; undefined while it keeps up, as with nearly every event, so that none waits for a promise. */
  write(text: string): Promise<void> | undefined {
    if (this.#response.destroyed) return undefined;
    this.#keepalive.refresh();
    return this.#response.write(text) ? undefined : this.#room();
  }

  async #room(): Promise<void> {
    this.#isFull = true;
    await drained(this.#response);
    this.#isFull = false;
  }

  /** Answers with a refusal: with its own status, or, after a comment has sent 200, as an event. */
  refuse(refusal: RelayRefusal, turn: GatewayTurn): void {
    const answer = refusalAnswer(refusal);
    if (!this.#response.headersSent) return answerWhole(this.#response, answer, turnHeaders(turn.report));
    this.#response.end(`event: error\ndata: ${errorEvent(answer)}\n\n`);
  }

  end(): void {
    this.#response.end();
  }

  breakOff(): void {
    this.#response.destroy();
  }

  stop(): void {
    clearInterval(this.#keepalive);
  }

  #comment(): void {
    // A client that does not take what was written needs no sign of life.
    if (this.#isFull || this.#response.destroyed) return;
    this.begin({});
    this.#response.write(comment);
  }
}

/** Answers with one body. */
export function answerWhole(
  response: ServerResponse,
  { status, headers, body }: WholeAnswer,
  more: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  setHeaders(response, { ...headers, ...more });
  announceClose(response);
  response.statusCode = status;
  // Bytes, because Node writes a head that goes before text as UTF-8: what is not ASCII in it would be encoded twice.
  const bytes = Buffer.from(body);
  response.setHeader('content-length', bytes.length);
  response.end(bytes);
}

/** An error event with the content of an error body. */
function errorEvent({ status, body }: WholeAnswer): string {
  let error: unknown;
  try {
    ({ error } = JSON.parse(body) as { error?: unknown });
  } catch {
    // The body is no JSON but a page, say.
  }
  return JSON.stringify({
    type: 'error',
    status,
    error: error ?? { type: 'server_error', code: null, message: body.slice(0, 2000), param: null },
  });
}

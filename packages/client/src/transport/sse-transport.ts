import { answerDrainMs, failedAfterErrorMs, maxEventBytes, trustedSilenceMs } from '../base/bounds.js';
import { startDeadline } from '../base/clock.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import { FrameError, isBlank } from '../protocol/frame.js';
import { readNamedEvent } from '../protocol/named-event.js';
import { sanitize } from '../protocol/errors/server-error.js';
import { EventTooLargeError, SseReader, doneMarker } from '../protocol/sse.js';
import { ErrorBody } from '../network/post/error-body.js';
import { ContentDecoder, UnknownCodingError, acceptEncoding } from '../network/post/content-decoder.js';
import { dialFailure, isTlsAlert, notAStream, statusFailure, withoutBody } from '../network/failure.js';
import { userAgent } from '../network/identity-headers.js';
import { sendPost } from '../network/send-post.js';
import { ContentSniffer } from './content-sniffer.js';
import { PlainBody } from './plain-body.js';
import { describeBreak, connectionLostError } from './connection-lost.js';
import type { Clock, Timer } from '../base/clock.js';
import type { Frame } from '../protocol/frame.js';
import type { ResponseHead } from '../http/head.js';
import type { ContentDecoderListener } from '../network/post/content-decoder.js';
import type { Network } from '../network/network.js';
import type { ExchangeListener } from '../network/post/post.js';
import type { SentPost } from '../network/send-post.js';
import type {
  TransportCall,
  CallOptions,
  OutgoingRequest,
  PlainRequest,
  TransportListener,
  Transport,
  TurnHeaders,
} from './transport.js';

/** Carries each turn as one POST, answered with `text/event-stream` (P22); a call that wants no stream, with one body. */
export class SseTransport implements Transport {
  readonly kind = 'sse';
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #dialMs: number;

  constructor(network: Network, clock: Clock, dialMs: number) {
    this.#network = network;
    this.#clock = clock;
    this.#dialMs = dialMs;
  }

  carry(request: OutgoingRequest, listener: TransportListener, options: CallOptions): TransportCall {
    const call = new SseCall(this.#network, this.#clock, listener, options);
    call.start(request, options, this.#dialMs);
    return call;
  }
}

class SseCall implements TransportCall, ExchangeListener, ContentDecoderListener {
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #listener: TransportListener;
  readonly #asText: boolean;
  readonly #headers: TurnHeaders | undefined;
  readonly #plain: PlainRequest | undefined;
  readonly #reader = new SseReader({ maxBytes: maxEventBytes, onData: (...event) => this.#data(...event) });
  #post: SentPost | undefined;
  /** The response is not whole yet: its connection is in use. */
  #connected = false;
  /** When the last bytes came, or the request went out. */
  #heardAt = 0;
  /** The head of the response has not come yet. */
  #awaitsHead = true;
  /** Decodes a compressed body. */
  #decoder: ContentDecoder | undefined;
  /** The body has a coding that is not known; some servers name one and use none, so its beginning decides. */
  #unknownCoding: UnknownCodingError | undefined;
  /** The body of a refusal. */
  #refusal: ErrorBody | undefined;
  /** The body of a response that is no stream, as asked for. */
  #plainBody: PlainBody | undefined;
  /** Set while only the content type says that the body is no event stream: the beginning of the body decides. */
  #sniffer: ContentSniffer | undefined;
  /** The body of a response that should be an event stream, and is none. */
  #unexpectedBody: ErrorBody | undefined;
  #settled = false;
  /** The body has ended in good order. */
  #bodyComplete = false;
  #failedTimer: Timer | undefined;
  #drainTimer: Timer | undefined;

  constructor(network: Network, clock: Clock, listener: TransportListener, { asText, headers, plain }: CallOptions) {
    this.#network = network;
    this.#clock = clock;
    this.#listener = listener;
    this.#asText = asText;
    this.#headers = headers;
    this.#plain = plain;
  }

  pause(): boolean {
    this.#post?.pause();
    this.#decoder?.pause();
    return true;
  }

  resume(): void {
    if (this.#decoder?.writesPaused !== true) this.#post?.resume();
    this.#decoder?.resume();
  }

  send(): boolean {
    return false;
  }

  abort(): void {
    this.#settle();
    this.#post?.destroy();
  }

  start(request: OutgoingRequest, { fresh, awaitsContinue }: CallOptions, dialMs: number): void {
    const plain = this.#plain;
    const maxIdleMs = fresh ? 0 : plain === undefined ? Infinity : trustedSilenceMs;
    this.#post = sendPost(this.#network, this, {
      clock: this.#clock,
      dialMs,
      maxIdleMs,
      prepare: (identity) => {
        const body = plain === undefined ? Buffer.from(request.body()) : bodyBytes(plain);
        this.#listener.response.expect(request.expectedParent);
        const headers = {
          'user-agent': userAgent,
          ...this.#headers?.sent,
          ...identity,
          accept: plain === undefined ? 'text/event-stream' : 'application/json',
          'accept-encoding': acceptEncoding,
          'content-type': 'application/json',
        };
        return { url: this.#network.endpoint.url, headers, body, continueMs: awaitsContinue ? dialMs : undefined };
      },
    });
  }

  connected(reused: boolean): void {
    this.#connected = true;
    this.#heardAt = this.#clock.now();
    this.#listener.connected({ number: undefined, reused });
  }

  sending(bytes: number): void {
    this.#listener.sending(bytes);
  }

  /** The server refuses `Expect: 100-continue`: the request is sent again without it. */
  expectRejected(): void {
    if (!this.#settled) this.#post?.resend();
  }

  sent(): void {
    if (!this.#settled) this.#listener.sent();
  }

  head({ status, headers }: ResponseHead): void {
    this.#awaitsHead = false;
    this.#heardAt = this.#clock.now();
    if (this.#settled) return;
    const { secrets, endpoint } = this.#network;
    const { origin } = endpoint;
    if (status === 101)
      return this.#fail(new TurnwireError('protocol_error', `${origin} answered a POST with an upgrade`, { status }));
    if (status < 200 || status > 299) {
      this.#refusal = new ErrorBody(this.#clock, { headers }, (body) =>
        this.#fail(statusFailure('request_refused', origin, { status, headers, body, secrets }, 'sent')),
      );
      return;
    }
    if (this.#plain === undefined && (status === 204 || status === 205)) return this.#fail(withoutBody(origin, status));
    const type = headers['content-type'] ?? 'no content type';
    const isStream = type.toLowerCase().startsWith('text/event-stream');
    try {
      this.#decoder = ContentDecoder.for(headers['content-encoding'], this);
    } catch (error) {
      if (!(error instanceof UnknownCodingError)) throw error;
      this.#unknownCoding = error;
    }
    // A server that streams although no stream was asked for is read as a stream.
    if (!isStream && this.#plain !== undefined) this.#plainBody = new PlainBody(status, headers);
    else if (!isStream || this.#unknownCoding !== undefined) this.#sniffer = new ContentSniffer(status, headers);
    const { 'set-cookie': _, ...received } = headers;
    this.#headers?.onReceived(received);
  }

  body(bytes: Buffer): void {
    this.#heardAt = this.#clock.now();
    if (this.#settled) return;
    if (this.#refusal !== undefined) return this.#refusal.add(bytes);
    if (this.#decoder === undefined) return this.decoded(bytes);
    this.#listener.alive();
    this.#decoder.write(bytes);
  }

  decoded(bytes: Buffer): void {
    if (this.#settled) return;
    try {
      if (this.#sniffer !== undefined) return this.#sniff(this.#sniffer, bytes);
      if (this.#unexpectedBody !== undefined) return this.#unexpectedBody.add(bytes);
      if (this.#plainBody === undefined) return this.#reader.push(bytes);
      this.#listener.alive();
      this.#plainBody.add(bytes);
    } catch (error) {
      if (!(error instanceof EventTooLargeError)) throw error;
      this.#fail(new TurnwireError('event_too_large', `the server sent ${error.message}`, { cause: error }));
    }
  }

  /** Keeps the body until its beginning shows whether it is a stream. */
  #sniff(mistyped: ContentSniffer, bytes: Buffer): void {
    const found = mistyped.add(bytes);
    if (found === undefined) return;
    if (found.name === 'other') return this.#readUnexpected(mistyped);
    this.#sniffer = undefined;
    this.#reader.push(found.bytes);
  }

  /** The body is no stream: its end shows what it is. */
  #readUnexpected({ status, headers, bytes }: ContentSniffer): void {
    const { secrets, endpoint } = this.#network;
    this.#sniffer = undefined;
    if (this.#unknownCoding !== undefined) return this.#failUndecoded(this.#unknownCoding, status);
    this.#unexpectedBody = new ErrorBody(this.#clock, { headers: {} }, (body) =>
      this.#fail(notAStream(endpoint.origin, { status, headers, body, secrets })),
    );
    this.#unexpectedBody.add(bytes);
  }

  #failUndecoded({ message }: UnknownCodingError, status: number): void {
    const { origin } = this.#network.endpoint;
    this.#fail(new TurnwireError('protocol_error', `${origin} answered with ${message}`, { status }));
  }

  pauseWrites(): void {
    this.#post?.pause();
  }

  resumeWrites(): void {
    if (!this.#listener.paused) this.#post?.resume();
  }

  decodeFailed(error: Error): void {
    this.#fail(
      new TurnwireError(
        'protocol_error',
        `the server sent a body that cannot be decoded (${sanitize(error.message)})`,
        {
          cause: error,
        },
      ),
    );
  }

  end(): void {
    this.#drainTimer?.cancel();
    this.#connected = false;
    this.#post?.end();
    if (this.#refusal !== undefined) return this.#refusal.end();
    if (this.#decoder === undefined) this.#bodyEnded();
    else this.#decoder.end(() => this.#bodyEnded());
  }

  /** The whole body was read and decoded. */
  #bodyEnded(): void {
    if (this.#plainBody !== undefined) return this.#plainEnded(this.#plainBody);
    if (this.#sniffer !== undefined) this.#readUnexpected(this.#sniffer);
    if (this.#unexpectedBody !== undefined) return this.#unexpectedBody.end();
    this.#bodyComplete = true;
    if (!this.#settled) this.#reader.end();
    this.#streamEnded('the stream ended before a terminal event');
  }

  failed(error: Error): void {
    this.#drainTimer?.cancel();
    if (this.#settled) return;
    if (this.#refusal !== undefined) return this.#refusal.end();
    if (error instanceof TurnwireError) return this.#fail(error);
    // The server has refused the TLS handshake, and has read no request.
    if (this.#awaitsHead && isTlsAlert(error)) return this.#fail(dialFailure(this.#network.route, error));
    // The part of a compressed body that has come is decoded first: its events are the caller's.
    if (this.#decoder === undefined) this.#bodyFailed(error);
    else this.#decoder.end(() => this.#bodyFailed(error));
  }

  #bodyFailed(error: Error): void {
    if (this.#settled) return;
    if (this.#unexpectedBody !== undefined) return this.#unexpectedBody.end();
    if (this.#failedTimer !== undefined) return this.#end();
    this.#lost(describeBreak(error, this.#awaitsHead), error);
  }

  #lost(how: string, cause?: Error): void {
    this.#fail(connectionLostError(how, this.#clock.now() - this.#heardAt, { cause }));
  }

  #data(data: string, bytes: number, name: string): void {
    if (this.#settled) return;
    if (isBlank(data)) return this.#listener.alive();
    if (data === doneMarker) return this.#streamEnded('the server said [DONE] before a terminal event');
    let frame: Frame;
    try {
      frame = readNamedEvent(data, bytes, name, this.#asText);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      // The stream was cut in the middle of an event.
      if (this.#bodyComplete) return;
      return this.#fail(new TurnwireError('protocol_error', `the server sent ${error.message}`, { cause: error }));
    }
    const verdict = this.#listener.response.read(frame);
    switch (verdict.name) {
      case 'pass':
        return this.#listener.event(frame, this.#heardAt);
      case 'end':
        this.#listener.event(frame, this.#heardAt);
        return this.#end();
      case 'failing':
        this.#listener.event(frame, this.#heardAt);
        this.#failedTimer ??= startDeadline(this.#clock, failedAfterErrorMs, () => this.#end());
        return;
      case 'refused':
        this.#settle();
        this.#drainAnswer();
        return this.#listener.fail(verdict.error);
      case 'awaiting_successor':
        // A turn over SSE cannot be steered: no successor follows, even if a server announces one.
        this.#listener.event(frame, this.#heardAt);
        return this.#end();
      case 'ignored':
      case 'broken':
        return this.#fail(verdict.error);
      case 'foreign':
        return this.#fail(new TurnwireError('protocol_error', verdict.why));
    }
  }

  /** The body of a call without a stream is whole. */
  #plainEnded(body: PlainBody): void {
    if (this.#settled) return;
    const end = body.end();
    if (this.#unknownCoding !== undefined && end?.isJson !== true)
      return this.#failUndecoded(this.#unknownCoding, body.status);
    if (end === undefined) return this.#streamEnded('the connection was closed in the middle of the answer');
    const verdict = end.frame && this.#listener.response.read(end.frame);
    if (verdict?.name === 'ignored') return this.#fail(verdict.error);
    this.#plain?.onResponse(end.answer);
    if (end.frame !== undefined) this.#listener.event(end.frame, this.#heardAt);
    this.#end();
  }

  /** The stream has ended. After an `error` event the turn has ended too; otherwise it is lost (P24, C1). */
  #streamEnded(how: string): void {
    if (this.#settled) return;
    if (this.#failedTimer !== undefined) return this.#end();
    this.#lost(how);
  }

  #end(): void {
    this.#settle();
    this.#drainAnswer();
    this.#listener.end();
  }

  #fail(error: TurnwireError): void {
    if (this.#settled) return;
    this.#settle();
    this.#post?.destroy();
    this.#listener.fail(error);
  }

  #settle(): void {
    this.#settled = true;
    this.#decoder?.destroy();
    this.#post?.cancelDial();
    this.#failedTimer?.cancel();
  }

  /** Reads the rest of the response, for a bounded time, so that the connection can carry the next turn. */
  #drainAnswer(): void {
    const post = this.#post;
    if (post === undefined || !this.#connected) return;
    post.resume();
    this.#drainTimer = startDeadline(this.#clock, answerDrainMs, () => post.destroy(), { background: true });
  }
}

function bodyBytes({ body }: PlainRequest): Buffer {
  return typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

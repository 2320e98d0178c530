import { startDeadline } from '../base/clock.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import { Frame, FrameError, isBlank } from '../protocol/frame.js';
import { failedAfterErrorMs, trustedSilenceMs, maxEventBytes } from '../protocol/limits.js';
import { sanitize } from '../protocol/errors/server-error.js';
import { EventTooLargeError, SseReader, doneMarker } from '../protocol/sse.js';
import { ErrorBody } from '../network/body.js';
import { Decoder, UnknownCoding, acceptEncoding } from '../network/content-coding.js';
import { dialFailure, isTlsRefusal, noStream, statusFailure } from '../network/failure.js';
import { Mistyped } from './mistyped.js';
import { PlainBody } from './plain-body.js';
import { breakOf, lossOf } from './loss.js';
import type { Clock, Timer } from '../base/clock.js';
import type { Head } from '../http/head.js';
import type { DecoderListener } from '../network/content-coding.js';
import type { Network } from '../network/network.js';
import type { ExchangeListener, PostConnection } from '../network/posts.js';
import type {
  Carriage,
  CarryOptions,
  OutgoingRequest,
  PlainCall,
  Receiver,
  Transport,
  TurnHeaders,
} from './transport.js';

/**
 * Turns as one POST each, over connections that are kept across slow tools. Answered by `text/event-stream` (P22); a call that wants no stream, by
 * one body.
 */
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

  carry(request: OutgoingRequest, receiver: Receiver, options: CarryOptions): Carriage {
    const carriage = new SseCarriage(this.#network, this.#clock, receiver, options);
    void carriage.run(request, options, this.#dialMs);
    return carriage;
  }
}

/** How long the rest of a body may take after its terminal event, so that its connection can be kept; in milliseconds. */
const drainMs = 1000;

class SseCarriage implements Carriage, ExchangeListener, DecoderListener {
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #receiver: Receiver;
  readonly #asText: boolean;
  readonly #headers: TurnHeaders | undefined;
  readonly #plain: PlainCall | undefined;
  readonly #reader = new SseReader({ maxBytes: maxEventBytes, onData: (data, bytes) => this.#data(data, bytes) });
  /** Until it is connected; aborted when the turn is over: nobody waits for a key or a connection then. */
  #dialling: AbortController | undefined;
  #again = (): void => {};
  #dialTimer: Timer | undefined;
  #connection: PostConnection | undefined;
  /** When the last bytes came; before any, when the request went out. */
  #heardAt = 0;
  /** Until the head of the answer has come. */
  #unanswered = true;
  /** Of a body that is compressed. */
  #decoder: Decoder | undefined;
  /** The answer is a refusal, and this is its body. */
  #refusal: ErrorBody | undefined;
  /** The answer is no stream, as was asked, and this is its body. */
  #whole: PlainBody | undefined;
  /** The answer is said to be no stream, and has not shown yet whether it is. */
  #mistyped: Mistyped | undefined;
  /** The answer was to be a stream and is none, and this is its body. */
  #other: ErrorBody | undefined;
  #over = false;
  /** The body of the answer has ended in good order. */
  #bodyOver = false;
  #paused = false;
  #grace: Timer | undefined;
  #drain: Timer | undefined;

  constructor(network: Network, clock: Clock, receiver: Receiver, { asText, headers, plain }: CarryOptions) {
    this.#network = network;
    this.#clock = clock;
    this.#receiver = receiver;
    this.#asText = asText;
    this.#headers = headers;
    this.#plain = plain;
  }

  pause(): boolean {
    this.#paused = true;
    this.#connection?.pause();
    this.#decoder?.pause();
    return true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#decoder?.full !== true) this.#connection?.resume();
    this.#decoder?.resume();
  }

  say(): boolean {
    return false;
  }

  abort(): void {
    this.#settle();
    this.#connection?.destroy();
  }

  async run(outgoing: OutgoingRequest, { fresh }: CarryOptions, dialMs: number): Promise<void> {
    const { endpoint, handshake, route } = this.#network;
    const { signal } = (this.#dialling = new AbortController());
    try {
      const identity = await handshake(signal);
      if (this.#over) return;
      const plain = this.#plain;
      const body = Buffer.from(plain === undefined ? outgoing.body() : plain.body);
      const headers = {
        ...this.#headers?.sent,
        ...identity,
        accept: plain === undefined ? 'text/event-stream' : 'application/json',
        'accept-encoding': acceptEncoding,
        'content-type': 'application/json',
      };
      this.#receiver.response.expect(outgoing.echo);
      const post = { url: endpoint.url, headers, body };
      const exchange = (connection: PostConnection): void => {
        if (this.#connection === undefined) this.#receiver.sending(body.length);
        this.#connection = connection;
        this.#heardAt = this.#clock.now();
        connection.exchange(post, this);
        if (this.#paused) connection.pause();
      };
      this.#again = () => void this.#connect(exchange, 0, dialMs);
      await this.#connect(exchange, fresh ? 0 : plain === undefined ? Infinity : trustedSilenceMs, dialMs);
    } catch (error) {
      this.#fail(error instanceof TurnwireError ? error : dialFailure(route, error));
    }
  }

  /** Never rejects. */
  async #connect(exchange: (connection: PostConnection) => void, restMs: number, dialMs: number): Promise<void> {
    const { connections, route } = this.#network;
    const { signal } = (this.#dialling = new AbortController());
    this.#dialTimer = startDeadline(this.#clock, dialMs, () => {
      const how = `${route} did not answer the connection within ${dialMs} ms (timeouts.dialMs)`;
      this.#fail(new TurnwireError('dial_timeout', how));
    });
    try {
      const { connection, reused } = await connections.take(restMs, signal);
      if (this.#over) return connection.destroy();
      this.#dialTimer.cancel();
      this.#dialling = undefined;
      this.#receiver.connected({ number: undefined, reused });
      exchange(connection);
    } catch (error) {
      this.#fail(error instanceof TurnwireError ? error : dialFailure(route, error));
    }
  }

  /** The same request on another connection, whose server is not asked whether it wants the body. */
  unexpected(): void {
    if (!this.#over) this.#again();
  }

  sent(): void {
    if (!this.#over) this.#receiver.sent();
  }

  head({ status, headers }: Head): void {
    this.#unanswered = false;
    this.#heardAt = this.#clock.now();
    if (this.#over) return;
    const { secrets, endpoint } = this.#network;
    const { origin } = endpoint;
    if (status === 101)
      return this.#fail(new TurnwireError('protocol_error', `${origin} answered a POST with an upgrade`, { status }));
    const isPlain = this.#plain !== undefined && status >= 200 && status < 300;
    if (status !== 200 && !isPlain) {
      this.#refusal = new ErrorBody(this.#clock, { headers }, (body) =>
        this.#fail(statusFailure('request_refused', origin, { status, headers, body, secrets }, 'sent')),
      );
      return;
    }
    const type = headers['content-type'] ?? 'no content type';
    const isStream = type.toLowerCase().startsWith('text/event-stream');
    try {
      this.#decoder = Decoder.for(headers['content-encoding'], this);
    } catch (error) {
      if (!(error instanceof UnknownCoding)) throw error;
      return this.#fail(new TurnwireError('protocol_error', `${origin} answered with ${error.message}`, { status }));
    }
    // A server that streams all the same is read as one that was asked to.
    if (!isStream && isPlain) this.#whole = new PlainBody(status, headers);
    else if (!isStream) this.#mistyped = new Mistyped(headers);
    const { 'set-cookie': _, ...received } = headers;
    this.#headers?.received(received);
  }

  body(bytes: Buffer): void {
    this.#heardAt = this.#clock.now();
    if (this.#over) return;
    if (this.#refusal !== undefined) return this.#refusal.add(bytes);
    if (this.#decoder === undefined) return this.decoded(bytes);
    this.#receiver.alive();
    this.#decoder.write(bytes);
  }

  decoded(bytes: Buffer): void {
    if (this.#over) return;
    try {
      if (this.#mistyped !== undefined) return this.#judge(this.#mistyped, bytes);
      if (this.#other !== undefined) return this.#other.add(bytes);
      if (this.#whole === undefined) return this.#reader.push(bytes);
      this.#receiver.alive();
      this.#whole.add(bytes);
    } catch (error) {
      if (!(error instanceof EventTooLargeError)) throw error;
      this.#fail(new TurnwireError('event_too_large', `the server sent ${error.message}`, { cause: error }));
    }
  }

  /** Its beginning says whether the answer is a stream; until then it is kept. */
  #judge(mistyped: Mistyped, bytes: Buffer): void {
    const found = mistyped.add(bytes);
    if (found === undefined) return;
    if (found.name === 'other') return this.#noStream(mistyped);
    this.#mistyped = undefined;
    this.#reader.push(found.bytes);
  }

  /** What is known of it by now tells that it is none; its end, what it is. */
  #noStream({ headers, bytes }: Mistyped): void {
    const { secrets, endpoint } = this.#network;
    this.#mistyped = undefined;
    this.#other = new ErrorBody(this.#clock, { headers: {} }, (body) =>
      this.#fail(noStream(endpoint.origin, { status: 200, headers, body, secrets })),
    );
    this.#other.add(bytes);
  }

  full(): void {
    this.#connection?.pause();
  }

  roomy(): void {
    if (!this.#paused) this.#connection?.resume();
  }

  undecodable(error: Error): void {
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
    this.#drain?.cancel();
    this.#connection = undefined;
    if (this.#refusal !== undefined) return this.#refusal.end();
    if (this.#decoder === undefined) this.#ends();
    else this.#decoder.end(() => this.#ends());
  }

  /** All of the body was read, and decoded. */
  #ends(): void {
    if (this.#whole !== undefined) return this.#answered(this.#whole);
    if (this.#mistyped !== undefined) this.#noStream(this.#mistyped);
    if (this.#other !== undefined) return this.#other.end();
    this.#bodyOver = true;
    if (!this.#over) this.#reader.end();
    this.#ended('the stream ended before a terminal event');
  }

  broken(error: Error): void {
    this.#drain?.cancel();
    if (this.#over) return;
    if (this.#refusal !== undefined) return this.#refusal.end();
    if (error instanceof TurnwireError) return this.#fail(error);
    // The server has told us off in the handshake, and has read no request.
    if (this.#unanswered && isTlsRefusal(error)) return this.#fail(dialFailure(this.#network.route, error));
    // What has come of a compressed body is decoded first: it is the caller's.
    if (this.#decoder === undefined) this.#breaks(error);
    else this.#decoder.end(() => this.#breaks(error));
  }

  #breaks(error: Error): void {
    if (this.#over) return;
    if (this.#other !== undefined) return this.#other.end();
    if (this.#grace !== undefined) return this.#end();
    this.#lost(breakOf(error, this.#unanswered), error);
  }

  #lost(how: string, cause?: Error): void {
    this.#fail(lossOf(how, this.#clock.now() - this.#heardAt, { cause }));
  }

  #data(data: string, bytes: number): void {
    if (this.#over) return;
    if (isBlank(data)) return this.#receiver.alive();
    if (data === doneMarker) return this.#ended('the server said [DONE] before a terminal event');
    let frame: Frame;
    try {
      frame = this.#asText ? Frame.peek(data, bytes) : Frame.parse(data, bytes);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      // Cut off in the middle of an event.
      if (this.#bodyOver) return;
      return this.#fail(new TurnwireError('protocol_error', `the server sent ${error.message}`, { cause: error }));
    }
    const verdict = this.#receiver.response.read(frame);
    switch (verdict.name) {
      case 'pass':
        return this.#receiver.event(frame);
      case 'end':
        this.#receiver.event(frame);
        return this.#end();
      case 'failing':
        this.#receiver.event(frame);
        this.#grace ??= startDeadline(this.#clock, failedAfterErrorMs, () => this.#end());
        return;
      case 'refused':
        this.#settle();
        this.#drainAnswer();
        return this.#receiver.fail(verdict.error);
      case 'between':
        // Nothing can be steered here, but a server may call a response steered: what its successor would be is not known.
        this.#receiver.event(frame);
        return this.#end();
      case 'ignored':
      case 'broken':
        return this.#fail(verdict.error);
      case 'foreign':
        return this.#fail(new TurnwireError('protocol_error', verdict.why));
    }
  }

  /** All of a plain answer is here. */
  #answered(body: PlainBody): void {
    if (this.#over) return;
    const end = body.end();
    if (end === undefined) return this.#ended('the connection was closed in the middle of the answer');
    const verdict = end.frame && this.#receiver.response.read(end.frame);
    if (verdict?.name === 'ignored') return this.#fail(verdict.error);
    this.#plain?.answered(end.answer);
    if (end.frame !== undefined) this.#receiver.event(end.frame);
    this.#end();
  }

  /** No more will come. After an `error` event that is the end of the turn; otherwise the turn is lost (P24, C1). */
  #ended(how: string): void {
    if (this.#over) return;
    if (this.#grace !== undefined) return this.#end();
    this.#lost(how);
  }

  #end(): void {
    this.#settle();
    this.#drainAnswer();
    this.#receiver.end();
  }

  #fail(error: TurnwireError): void {
    if (this.#over) return;
    this.#settle();
    this.#connection?.destroy();
    this.#receiver.fail(error);
  }

  #settle(): void {
    this.#over = true;
    this.#decoder?.destroy();
    this.#dialling?.abort(new TurnwireError('aborted', 'the turn is over'));
    this.#dialTimer?.cancel();
    this.#grace?.cancel();
  }

  /** Reads to the end of the answer, so that the connection can carry the next turn; not for long. */
  #drainAnswer(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    connection.resume();
    this.#drain = startDeadline(this.#clock, drainMs, () => connection.destroy(), { background: true });
  }
}

import { TurnwireError } from '../protocol/errors.js';
import { Frame, FrameError } from '../protocol/frame.js';
import { failedAfterErrorMs, maxEventBytes } from '../protocol/limits.js';
import { clean } from '../protocol/server-error.js';
import { EventTooLargeError, SseReader, doneMarker } from '../protocol/sse.js';
import { readBody } from '../network/body.js';
import { dialFailure, flat, isTlsRefusal, statusFailure } from '../network/failure.js';
import { httpRequest } from '../network/node-http.js';
import { Reading } from './reading.js';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { Clock, Timer } from '../clock.js';
import type { DialOptions } from '../network/agent.js';
import type { Network } from '../network/network.js';
import type { Carriage, CarryOptions, OutgoingRequest, Receiver, Transport, TurnHeaders } from './transport.js';

/**
 * Turns as one POST each, answered by `text/event-stream` (P22). On node:http rather than fetch: it keeps a connection across slow tools, takes
 * the same TLS configuration as the WebSocket, and tells when a connection was a kept one.
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

class SseCarriage implements Carriage {
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #receiver: Receiver;
  readonly #asText: boolean;
  readonly #headers: TurnHeaders | undefined;
  readonly #reading = new Reading({ strict: false });
  /** Until it is connected; aborted when the turn is over: nobody waits for a key or a connection then. */
  #dialling: AbortController | undefined;
  #request: ClientRequest | undefined;
  #response: IncomingMessage | undefined;
  #over = false;
  #paused = false;
  #dialTimer: Timer | undefined;
  #grace: Timer | undefined;

  constructor(network: Network, clock: Clock, receiver: Receiver, { asText, headers }: CarryOptions) {
    this.#network = network;
    this.#clock = clock;
    this.#receiver = receiver;
    this.#asText = asText;
    this.#headers = headers;
  }

  pause(): boolean {
    this.#paused = true;
    this.#response?.pause();
    return true;
  }

  resume(): void {
    this.#paused = false;
    this.#response?.resume();
  }

  say(): boolean {
    return false;
  }

  abort(): void {
    this.#settle();
    this.#request?.destroy();
  }

  async run(outgoing: OutgoingRequest, options: CarryOptions, dialMs: number): Promise<void> {
    const { endpoint, handshake } = this.#network;
    const { signal } = (this.#dialling = new AbortController());
    try {
      const identity = await handshake(signal);
      if (this.#over) return;
      const body = Buffer.from(outgoing.body());
      const toSend: RequestOptions & DialOptions = {
        method: 'POST',
        agent: options.fresh ? this.#network.singleUseAgent : this.#network.agent,
        abandoned: signal,
        headers: {
          ...this.#headers?.sent,
          ...identity,
          accept: 'text/event-stream',
          'content-type': 'application/json',
          'content-length': body.length,
        },
      };
      const request = httpRequest(endpoint.url, toSend);
      this.#request = request;
      this.#dialTimer = this.#clock.after(dialMs, () => {
        this.#fail(
          new TurnwireError(
            'dial_timeout',
            `${this.#network.route} did not answer the connection within ${dialMs} ms (timeouts.dialMs)`,
            { retryable: true },
          ),
        );
      });
      // One that has failed at once tells of that.
      request.once('socket', (socket) => {
        if (!socket.destroyed) this.#connected(request, body.length);
      });
      request.once('finish', () => {
        if (!this.#over) this.#receiver.sent();
      });
      request.once('response', (response) => this.#answered(response, identity));
      // A 101 that nobody takes would end the connection without a word of it.
      request.once('upgrade', (_response, socket) => {
        socket.destroy();
        this.#fail(
          new TurnwireError('protocol_error', `${endpoint.origin} answered a POST with an upgrade`, { status: 101 }),
        );
      });
      // Stays for the whole life of the request: a late error that nobody listens to would end the process.
      request.on('error', (error) => this.#broken(error));
      request.end(body);
    } catch (error) {
      this.#fail(error instanceof TurnwireError ? error : dialFailure(this.#network.route, error));
    }
  }

  #connected(request: ClientRequest, bytes: number): void {
    if (this.#over) return;
    this.#dialTimer?.cancel();
    this.#dialTimer = undefined;
    this.#dialling = undefined;
    this.#receiver.connected({ number: undefined, reused: request.reusedSocket });
    this.#receiver.sending(bytes);
  }

  #answered(response: IncomingMessage, identity: Record<string, string>): void {
    if (this.#over) return void response.destroy();
    this.#response = response;
    const { endpoint } = this.#network;
    const { statusCode: status = 0, headers } = response;
    if (status !== 200) {
      void readBody(response, this.#clock).then((body) =>
        this.#fail(statusFailure('request_refused', endpoint.origin, { status, headers, body, identity }, 'sent')),
      );
      return;
    }
    const type = headers['content-type'] ?? 'no content type';
    const encoding = headers['content-encoding'] ?? 'identity';
    if (!type.toLowerCase().startsWith('text/event-stream') || encoding !== 'identity') {
      const got =
        encoding === 'identity'
          ? `"${clean(type)}" instead of text/event-stream`
          : `a body with content-encoding "${clean(encoding)}", which was not asked for`;
      return this.#fail(new TurnwireError('protocol_error', `${endpoint.origin} answered with ${got}`, { status }));
    }
    const { 'set-cookie': _, ...received } = flat(headers);
    this.#headers?.received(received);
    const reader = new SseReader({ maxBytes: maxEventBytes, onData: (data) => this.#data(data) });
    response.on('data', (chunk: Buffer) => {
      if (this.#over) return;
      try {
        reader.push(chunk);
      } catch (error) {
        if (!(error instanceof EventTooLargeError)) throw error;
        this.#fail(new TurnwireError('event_too_large', `the server sent ${error.message}`, { cause: error }));
      }
    });
    response.once('end', () => this.#ended('the stream ended before a terminal event'));
    response.once('error', (error) => this.#broken(error));
    response.once('close', () => this.#ended('the connection closed before a terminal event'));
    if (this.#paused) response.pause();
  }

  #data(data: string): void {
    if (this.#over) return;
    if (data === doneMarker) return this.#ended('the server said [DONE] before a terminal event');
    let frame: Frame;
    try {
      frame = this.#asText ? Frame.peek(data) : Frame.parse(data);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      return this.#fail(new TurnwireError('protocol_error', `the server sent ${error.message}`, { cause: error }));
    }
    const verdict = this.#reading.read(frame);
    switch (verdict.name) {
      case 'pass':
        return this.#receiver.event(frame);
      case 'end':
        this.#receiver.event(frame);
        return this.#end();
      case 'failing':
        this.#receiver.event(frame);
        this.#grace ??= this.#clock.after(failedAfterErrorMs, () => this.#end());
        return;
      case 'refused':
        this.#settle();
        this.#drain();
        return this.#receiver.fail(verdict.error);
      case 'between':
        // Nothing can be steered here, but a server may call a response steered: what its successor would be is not known.
        this.#receiver.event(frame);
        return this.#end();
      case 'foreign':
        return this.#fail(new TurnwireError('protocol_error', verdict.why));
    }
  }

  /** No more will come. After an `error` event that is the end of the turn; otherwise the turn is lost (P24, C1). */
  #ended(how: string): void {
    if (this.#over) return;
    if (this.#grace !== undefined) return this.#end();
    this.#fail(new TurnwireError('connection_lost', how));
  }

  #broken(error: Error): void {
    if (this.#over) return;
    // Until it is connected, nothing has been sent.
    const refused = this.#response === undefined && isTlsRefusal(error);
    if (this.#dialTimer !== undefined || refused) return this.#fail(dialFailure(this.#network.route, error));
    if (this.#grace !== undefined) return this.#end();
    const { code } = error as { code?: unknown };
    const how = typeof code === 'string' ? code : clean(error.message);
    this.#fail(
      new TurnwireError('connection_lost', `the connection broke before the turn ended (${how})`, { cause: error }),
    );
  }

  #end(): void {
    this.#settle();
    this.#drain();
    this.#receiver.end();
  }

  #fail(error: TurnwireError): void {
    if (this.#over) return;
    this.#settle();
    this.#request?.destroy();
    this.#receiver.fail(error);
  }

  #settle(): void {
    this.#over = true;
    this.#dialling?.abort(new TurnwireError('aborted', 'the turn is over'));
    this.#dialTimer?.cancel();
    this.#grace?.cancel();
  }

  /** Reads to the end of the body, so that the connection can carry the next turn; not for long. */
  #drain(): void {
    const response = this.#response;
    if (response === undefined || response.complete) return;
    response.resume();
    const timer = this.#clock.after(drainMs, () => response.destroy(), { background: true });
    response.once('close', () => timer.cancel());
  }
}

import { startDeadline } from '../base/clock.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import { dialFailure } from './failure.js';
import type { Clock, Timer } from '../base/clock.js';
import type { Network } from './network.js';
import type { ExchangeListener, Post, PostConnection } from './post/post.js';

export interface SendPostOptions {
  clock: Clock;
  /** For the credentials and for the connection, each; in milliseconds. */
  dialMs: number;
  /** A kept connection that was idle for longer is not used; 0 dials a new one. */
  maxIdleMs: number;
  /** Makes the request once the identity headers are known. */
  prepare: (identity: Readonly<Record<string, string>>) => Post;
}

/**
 * Sends a POST: over a connection that was kept, or a new one, by way of the proxy and TLS of `network`. It is one of the two doors of this folder;
 * the other is `openWebSocket`.
 *
 * Whatever goes wrong arrives at `listener.failed`, never as an exception and never in the same tick.
 */
export function sendPost(network: Network, listener: ExchangeListener, options: SendPostOptions): SentPost {
  const post = new SentPost(network, listener, options);
  void post.start();
  return post;
}

/** A POST on its way. */
export class SentPost {
  readonly #network: Network;
  readonly #listener: ExchangeListener;
  readonly #options: SendPostOptions;
  #post: Post | undefined;
  #connection: PostConnection | undefined;
  /** Ends the wait for credentials and for a connection; undefined once the connection is there. */
  #dial: AbortController | undefined;
  #dialTimer: Timer | undefined;
  #over = false;

  /** @internal Made by {@link sendPost}. */
  constructor(network: Network, listener: ExchangeListener, options: SendPostOptions) {
    this.#network = network;
    this.#listener = listener;
    this.#options = options;
  }

  /** @internal Never rejects. */
  async start(): Promise<void> {
    try {
      this.#dial = new AbortController();
      const identity = await this.#network.identityHeaders(this.#dial.signal);
      if (this.#over) return;
      this.#post = this.#options.prepare(identity);
      await this.#exchange(this.#post, this.#options.maxIdleMs);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Sends the same request on a new connection: the server refuses to be asked whether it wants the body. */
  resend(): void {
    if (this.#post !== undefined && !this.#over)
      this.#exchange(this.#post, 0).catch((error: unknown) => this.#fail(error));
  }

  pause(): void {
    this.#connection?.pause();
  }

  resume(): void {
    this.#connection?.resume();
  }

  /** The response is whole: its connection belongs to the next request. */
  end(): void {
    this.#connection = undefined;
  }

  /** The turn is over: waits neither for credentials nor for a connection. */
  cancelDial(): void {
    this.#over = true;
    this.#dialTimer?.cancel();
    // Most turns end long after their dial: an error and an event for each would be a tenth of what a short turn costs.
    this.#dial?.abort(new TurnwireError('aborted', 'the turn is over'));
    this.#dial = undefined;
  }

  destroy(): void {
    this.cancelDial();
    this.#connection?.destroy();
  }

  async #exchange(post: Post, maxIdleMs: number): Promise<void> {
    const { connections, route } = this.#network;
    const { clock, dialMs } = this.#options;
    this.#dial ??= new AbortController();
    this.#dialTimer = startDeadline(clock, dialMs, () => {
      const how = `${route} did not answer the connection within ${dialMs} ms (timeouts.dialMs)`;
      this.#fail(new TurnwireError('dial_timeout', how));
    });
    const { connection, reused } = await connections.acquire(maxIdleMs, this.#dial.signal);
    if (this.#over) return connection.destroy();
    this.#dialTimer.cancel();
    this.#dial = undefined;
    this.#listener.connected(reused);
    if (this.#connection === undefined) this.#listener.sending(post.body.length);
    this.#connection = connection;
    connection.exchange(post, this.#listener);
  }

  #fail(error: unknown): void {
    this.#dialTimer?.cancel();
    if (!this.#over)
      this.#listener.failed(error instanceof TurnwireError ? error : dialFailure(this.#network.route, error));
  }
}

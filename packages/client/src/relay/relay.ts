import { systemClock } from '../base/clock.js';
import { resolveOptions } from '../settings/settings.js';
import { Client } from '../turn/client.js';
import { RelayTurn } from './turn.js';
import type { JsonObject } from '../json/json.js';
import type { ClientOptions, TransportChoice } from '../options.js';
import type { ClientStats } from '../turn/client.js';
import type { KnownResponse } from '../turn/attempt/frame-options.js';
import type { RelayAnswerParts } from './turn.js';

/** Those of `createClient`, but that nothing of the environment counts except its proxies: a relay asks with the credentials that it is given. */
export type RelayOptions = ClientOptions & Required<Pick<ClientOptions, 'baseUrl'>>;

export interface RelayTurnOptions {
  signal?: AbortSignal | undefined;
  /** For this turn alone. @default the relay's */
  transport?: TransportChoice | undefined;
  /** Sent with this turn, where it goes as a POST; a WebSocket has no place for them. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** The request's body, where it asks for no stream: over HTTP it is sent as it is, and so comes the answer. */
  plain?: string | Uint8Array | undefined;
  /** An earlier turn with the same content may have run: once this one was sent, it is not sent again. @default false */
  mayHaveRun?: boolean | undefined;
  /** False where no turn of this relay will continue the response: its connection is free for any turn then. @default true */
  continuable?: boolean | undefined;
  /**
   * A stored response of which another relay has told: its context ends in the input before index `from`. Continued where this relay itself knows of none
   * that is longer; where the server does not know it, the turn goes in full.
   */
  continues?: KnownResponse | undefined;
  /** Called once, when the turn has ended, in whatever way. */
  onSettled?: (() => void) | undefined;
}

/** See {@link Relay.plan}. `reason` is one of docs/continuation.md. */
export type RelayPlan = { name: 'delta'; responseId: string; from: number } | { name: 'full'; reason: string };

/** The turns of one identity at one endpoint, and the connections that they share. */
export interface Relay extends AsyncDisposable {
  /** Begins a turn at once. `params` must not be changed afterwards. What is wrong with it is the turn's failure. */
  turn(params: JsonObject, options?: RelayTurnOptions): RelayTurn;
  /**
   * How a turn with a whole history would be sent now: as what stands after index `from`, or in full, with the reason. undefined where it names the
   * response that it continues, or has no list of items.
   *
   * @throws TurnwireError `invalid_request`
   */
  plan(params: JsonObject): RelayPlan | undefined;
  /** An open connection holds this response, and can take a turn that continues it. */
  holds(responseId: string): boolean;
  readonly stats: ClientStats;
  /** What the memory of chains takes, in bytes as estimated: several relays can have one budget. */
  readonly chainBytes: number;
  /** As `Client.close`. */
  close(): Promise<void>;
  /** As `Client.destroy`. */
  destroy(): void;
}

/**
 * A client for a program that passes turns on: requests are JSON that nobody will change, events stay text, and what the server says to a turn that
 * it refuses is told as HTTP would have it.
 *
 * @throws TurnwireError `invalid_option`
 */
export function createRelay(options: RelayOptions): Relay {
  const proxies = Object.entries(process.env).filter(([name]) => /^(https?|all|no)_proxy$/i.test(name));
  return new ClientRelay(new Client(resolveOptions(options, Object.fromEntries(proxies)), systemClock));
}

class ClientRelay implements Relay {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  turn(params: JsonObject, options: RelayTurnOptions = {}): RelayTurn {
    const {
      signal,
      transport,
      headers = {},
      plain,
      mayHaveRun,
      continuable,
      continues,
      onSettled = () => {},
    } = options;
    const parts: RelayAnswerParts = { received: {}, plain: undefined };
    const turn = this.#client.turnAsText(
      params,
      { signal, ...(transport !== undefined && { transport }) },
      {
        headers: { sent: headers, onReceived: (received) => (parts.received = received) },
        plain: plain === undefined ? undefined : { body: plain, onResponse: (answer) => (parts.plain = answer) },
        mayHaveRun,
        continuable,
        continues,
        onSettled,
      },
    );
    return new RelayTurn(turn, parts);
  }

  plan(params: JsonObject): RelayPlan | undefined {
    return this.#client.plan(params);
  }

  holds(responseId: string): boolean {
    return this.#client.holds(responseId);
  }

  get stats(): ClientStats {
    return this.#client.stats;
  }

  get chainBytes(): number {
    return this.#client.chainBytes;
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  destroy(): void {
    this.#client.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Where Redis is: one server, or the master that Sentinel names. */
export type RedisPlace =
  | { name: 'server'; url: string }
  | { name: 'sentinel'; master: string; nodes: readonly { host: string; port: number }[]; tls: boolean };

export interface RedisOptions {
  place: RedisPlace;
  username?: string | undefined;
  password?: string | undefined;
}

/** A connection to Redis that is made anew for as long as it is wanted. */
export interface RedisConnection {
  /** Rejects at once where there is no connection. Its answer may never come: `Store` bounds that. */
  command(args: readonly string[]): Promise<unknown>;
  /** Ends it, and all that waits for an answer. */
  destroy(): void;
}

/** What both clients of the library have in common. */
interface Client {
  connect(): Promise<unknown>;
  destroy(): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
}

interface Made {
  client: Client;
  send: (args: string[]) => Promise<unknown>;
}

/** Waits between two attempts to connect, in milliseconds: they double. */
const firstWaitMs = 50;
const longestWaitMs = 1000;

/** Commands that wait for an answer at most: those of a server that is paused. */
const mostPending = 10_000;

const connectMs = 2000;

/** Begins to connect, and goes on until it is destroyed. The library is loaded only where a cluster is configured. */
export async function connectRedis({ place, username, password }: RedisOptions): Promise<RedisConnection> {
  const { createClient, createSentinel } = await import('@redis/client');
  const common = {
    RESP: 2,
    disableOfflineQueue: true,
    disableClientInfo: true,
    commandsQueueMaxLength: mostPending,
    maintNotifications: 'disabled',
    // An AbortSignal for each command, which costs more than the command; the deadline of `Store` is shorter anyway.
    commandOptions: { timeout: 0 },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  } as const;
  const socket = { connectTimeout: connectMs, reconnectStrategy: waitBefore };
  if (place.name === 'server')
    return new Reconnecting(() => {
      const client = createClient({ ...common, url: place.url, socket });
      return { client, send: (args) => client.sendCommand(args) };
    });
  const nodeSocket = place.tls ? ({ ...socket, tls: true } as const) : socket;
  return new Reconnecting(() => {
    const client = createSentinel({
      name: place.master,
      sentinelRootNodes: [...place.nodes],
      RESP: 2,
      nodeClientOptions: { ...common, socket: nodeSocket },
      sentinelClientOptions: { disableClientInfo: true, maintNotifications: 'disabled', socket: nodeSocket },
      masterPoolSize: 1,
      replicaPoolSize: 0,
      scanInterval: 1000,
      maxCommandRediscovers: 1,
      passthroughClientErrorEvents: true,
    });
    return { client, send: (args) => client.sendCommand(false, args) };
  });
}

/** What goes wrong with the connection, its commands tell. */
class Reconnecting implements RedisConnection {
  readonly #create: () => Made;
  #send: Made['send'] | undefined;
  #end: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isDestroyed = false;

  constructor(create: () => Made) {
    this.#create = create;
    this.#begin(0);
  }

  command(args: readonly string[]): Promise<unknown> {
    return this.#send?.([...args]) ?? Promise.reject(new Error('there is no connection'));
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#stop();
  }

  #begin(attempt: number): void {
    const { client, send } = this.#create();
    let isCurrent = true;
    const anew = (): void => {
      if (!isCurrent || this.#isDestroyed) return;
      this.#stop();
      this.#timer = setTimeout(() => this.#begin(attempt + 1), waitBefore(attempt));
      this.#timer.unref();
    };
    this.#end = () => {
      isCurrent = false;
      destroyed(client);
    };
    client.on('error', (error) => {
      // After bytes that are no answer the next ones would be taken for answers to other commands.
      if (isMisread(error)) anew();
    });
    void client
      .connect()
      .then(() => (isCurrent ? (this.#send = send) : undefined))
      .catch(anew);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#send = undefined;
    this.#end?.();
    this.#end = undefined;
  }
}

function destroyed(client: Client): void {
  try {
    void Promise.resolve(client.destroy()).catch(() => {});
  } catch {
    // It had ended.
  }
}

/** The library has met bytes that are no RESP, or an answer that nobody has asked for. */
function isMisread(error: unknown): boolean {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof TypeError || (cause instanceof Error && cause.message.startsWith('Unknown RESP type'));
}

function waitBefore(attempt: number): number {
  return Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(attempt, 10)) * (0.75 + Math.random() / 4);
}

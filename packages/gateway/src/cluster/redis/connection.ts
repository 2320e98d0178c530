/** The place of Redis: one server, or the master that Sentinel names. */
export type RedisPlace =
  | { name: 'server'; url: string }
  | { name: 'sentinel'; master: string; nodes: readonly { host: string; port: number }[]; tls: boolean };

export interface RedisOptions {
  place: RedisPlace;
  username?: string | undefined;
  password?: string | undefined;
}

/** A connection to Redis that is opened again whenever it is lost, until it is destroyed. */
export interface RedisConnection {
  /** The reason of the last failure to connect; undefined while there is a connection. */
  readonly problem?: string | undefined;
  /** Rejects at once without a connection. The answer may never come: `RedisStore` bounds the wait. */
  command(args: readonly string[]): Promise<unknown>;
  /** Ends the connection, and every command that waits for an answer. */
  destroy(): void;
}

/** Thrown for a command while there is no connection. */
export class NotConnected extends Error {
  constructor() {
    super('there is no connection');
  }
}

/** The methods that both clients of the library have. */
interface Client {
  connect(): Promise<unknown>;
  destroy(): unknown;
  on(event: 'error' | 'ready', listener: (error: unknown) => void): unknown;
}

interface Made {
  client: Client;
  send: (args: string[]) => Promise<unknown>;
}

/** The first wait between two attempts to connect, in milliseconds; each further one is twice as long. */
const firstWaitMs = 50;
const maxWaitMs = 1000;

/** The most commands that wait for an answer, as they do while a server is paused. */
const maxPending = 10_000;

const connectMs = 2000;

/** Connects, and reconnects until it is destroyed. The library is loaded only where a cluster is configured. */
export async function connectRedis({ place, username, password }: RedisOptions): Promise<RedisConnection> {
  const { createClient, createSentinel } = await import('@redis/client');
  const common = {
    RESP: 2,
    disableOfflineQueue: true,
    disableClientInfo: true,
    commandsQueueMaxLength: maxPending,
    maintNotifications: 'disabled',
    // No AbortSignal for each command, which would cost more than the command: the deadline of `RedisStore` is shorter anyway.
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

/** A client that is replaced when it fails. Its errors are not reported here: the commands fail with them. */
class Reconnecting implements RedisConnection {
  readonly #create: () => Made;
  #problem: string | undefined;
  #send: Made['send'] | undefined;
  #end: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isDestroyed = false;

  constructor(create: () => Made) {
    this.#create = create;
    this.#begin(0);
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  command(args: readonly string[]): Promise<unknown> {
    return this.#send?.([...args]) ?? Promise.reject(new NotConnected());
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#stop();
  }

  #begin(attempt: number): void {
    const { client, send } = this.#create();
    let isCurrent = true;
    const anew = (error: unknown): void => {
      if (!isCurrent || this.#isDestroyed) return;
      this.#problem = problemOf(error);
      this.#stop();
      this.#timer = setTimeout(() => this.#begin(attempt + 1), waitBefore(attempt));
      this.#timer.unref();
    };
    this.#end = () => {
      isCurrent = false;
      destroyed(client);
    };
    client.on('error', (error) => {
      // After bytes that are no answer, later answers would be taken for those of other commands.
      if (isMisread(error)) anew(error);
      else if (isCurrent) this.#problem = problemOf(error);
    });
    client.on('ready', () => {
      if (isCurrent) this.#problem = undefined;
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
    // The client had ended already.
  }
}

/** The first line of an error. An AggregateError of several addresses has none of its own. */
function problemOf(error: unknown): string {
  if (error instanceof AggregateError) return problemOf(error.errors[0]);
  const { message = String(error) } = error instanceof Error ? error : {};
  return message.split('\n')[0] ?? '';
}

/** True where the library has met bytes that are no RESP, or an answer without a command. */
function isMisread(error: unknown): boolean {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof TypeError || (cause instanceof Error && cause.message.startsWith('Unknown RESP type'));
}

function waitBefore(attempt: number): number {
  return Math.min(maxWaitMs, firstWaitMs * 2 ** Math.min(attempt, 10)) * (0.75 + Math.random() / 4);
}

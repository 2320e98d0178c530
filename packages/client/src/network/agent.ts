import { HttpAgent } from './node-http.js';
import type { AgentOptions, ClientRequestArgs } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Connect } from './connect.js';

/** What a request tells the agent besides Node's own options. */
export interface DialOptions {
  /** Aborted when nobody waits for the connection any more. */
  abandoned: AbortSignal;
}

type Callback = (error: Error | null, socket: Duplex) => void;

/**
 * Keeps connections for `node:http`, and has them opened by `connect`, so that a POST goes the same way as a WebSocket, and by no other (A10,
 * K4). A request is given its connection when that is ready to be written to.
 */
export class ConnectingAgent extends HttpAgent {
  readonly #connect: Connect;

  constructor(connect: Connect, secure: boolean, options: AgentOptions) {
    super(options);
    this.#connect = connect;
    // What tells `node:https` from `node:http` besides the connection.
    if (secure) Object.assign(this, { protocol: 'https:', defaultPort: 443 });
  }

  override createConnection(options: ClientRequestArgs, callback?: Callback): undefined {
    const { abandoned } = options as ClientRequestArgs & DialOptions;
    void deliver(this.#connect(abandoned), callback);
  }
}

async function deliver(connecting: Promise<Duplex>, callback: Callback = () => {}): Promise<void> {
  let socket: Duplex;
  try {
    socket = await connecting;
  } catch (error) {
    // Node passes no socket with an error, whatever the type says.
    return callback(error as Error, undefined as unknown as Duplex);
  }
  callback(null, socket);
}

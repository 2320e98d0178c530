import { WebSocketServer } from 'ws';
import { Refusal, answerOf, refuseUpgrade } from '../base/refusal.js';
import { ClientSocket } from '../relay/websocket/socket.js';
import { notTakenHeader, restartCode } from '../relay/turn.js';
import { shuttingDown } from '../relay/turns.js';
import { isFromNode } from '../cluster/peers.js';
import type { RelayBodies } from '@turnwire/client/relay';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Limits } from '../config/schema.js';
import type { RequestHeaders } from '../upstream/headers.js';
import type { Principal } from '../upstream/principal.js';
import type { Quotas } from '../relay/access/quotas.js';
import type { Turns } from '../relay/turns.js';

export interface UpgradesOptions {
  limits: Limits;
  bodies: RelayBodies;
  turns: Turns;
  quotas: Quotas;
  keepaliveMs: number;
  isReady: () => boolean;
  /** The principal that the headers of the upgrade identify. @throws Refusal */
  principal: (identity: RequestHeaders['identity']) => Principal;
  onRefused: (status: number) => void;
}

/** An upgrade that may pass. */
export interface CheckedUpgrade {
  headers: RequestHeaders;
  /** True for the WebSocket of another gateway, which hands turns over. */
  isRelayed: boolean;
}

/** Takes upgrades, and keeps the WebSockets of clients. */
export class Upgrades {
  readonly #options: UpgradesOptions;
  readonly #server: WebSocketServer;
  readonly #sockets = new Map<ClientSocket, string>();
  #second = 0;
  #upgrades = 0;

  constructor(options: UpgradesOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // Compression takes a quarter of a megabyte for each socket.
      perMessageDeflate: false,
      maxPayload: options.limits.frame_bytes,
    });
    this.#server.on('wsClientError', (error, socket) => {
      this.#refuse(
        socket,
        new Refusal(`the WebSocket handshake is not valid: ${error.message}`, { code: 'invalid_upgrade' }),
      );
    });
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** @param check throws a Refusal for a request that may not pass. */
  take(request: IncomingMessage, socket: Duplex, head: Buffer, check: () => CheckedUpgrade): void {
    // Until ws has the socket, nobody else listens to its errors.
    const ignored = (): void => {};
    socket.on('error', ignored);
    let checked: CheckedUpgrade;
    let principal: Principal;
    try {
      if (!this.#options.isReady()) throw shuttingDown();
      this.#checkPace();
      checked = check();
      principal = this.#options.principal(checked.headers.identity);
      this.#checkRoom(principal);
      if (!checked.isRelayed) void this.#options.quotas.check(principal);
    } catch (error) {
      return this.#refuse(socket, error, isFromNode(request));
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      socket.removeListener('error', ignored);
      const { bodies, turns, limits, keepaliveMs } = this.#options;
      const { headers, isRelayed } = checked;
      const client = new ClientSocket(webSocket, {
        bodies,
        turns,
        limits,
        headers: headers.request,
        isRelayed,
        principal: () => this.#options.principal(headers.identity),
        keepaliveMs,
        // Node types the socket of an upgrade as a Duplex, and hands over a net.Socket or one of TLS.
        receivedBytes: () => (socket as Socket).bytesRead,
      });
      this.#sockets.set(client, principal.id);
      webSocket.once('close', () => this.#sockets.delete(client));
    });
  }

  /** Closes each socket once its turns have ended; its client may connect to another instance. */
  drain(): void {
    for (const socket of this.#sockets.keys()) socket.drain(restartCode, 'the gateway restarts');
  }

  destroy(): void {
    for (const socket of this.#sockets.keys()) socket.terminate();
  }

  #refuse(socket: Duplex, error: unknown, isRelayed = false): void {
    const refusal =
      error instanceof Refusal ? error : new Refusal('the gateway has failed', { status: 500, code: 'gateway_error' });
    this.#options.onRefused(refusal.status);
    refuseUpgrade(socket, answerOf(isRelayed ? refusal.with({ [notTakenHeader]: '1' }) : refusal));
  }

  /** @throws Refusal (429) for more upgrades a second than the limit */
  #checkPace(): void {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) this.#upgrades = 0;
    this.#second = second;
    this.#upgrades += 1;
    const { upgrades_per_second: most } = this.#options.limits;
    if (this.#upgrades > most)
      throw tooMany(`this gateway takes ${most} upgrades a second (limits.upgrades_per_second)`);
  }

  /** @throws Refusal (429) for more WebSockets than the limit */
  #checkRoom({ id }: Principal): void {
    const { sockets, sockets_per_principal: own } = this.#options.limits;
    if (this.#sockets.size >= sockets) throw tooMany(`this gateway has ${sockets} WebSockets open (limits.sockets)`);
    let count = 0;
    if (this.#sockets.size >= own) for (const other of this.#sockets.values()) if (other === id) count += 1;
    if (count >= own) throw tooMany(`this key has ${own} WebSockets open (limits.sockets_per_principal)`);
  }
}

function tooMany(message: string): Refusal {
  return new Refusal(`${message}: try again`, {
    status: 429,
    code: 'too_many_connections',
    headers: { 'retry-after': '1' },
  });
}

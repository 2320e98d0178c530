import { WebSocket } from 'ws';
import { abnormalClosure, unsupportedData } from '../protocol/close-codes.js';
import { TurnwireError } from '../protocol/errors.js';
import { maxEventBytes } from '../protocol/limits.js';
import { clean } from '../protocol/server-error.js';
import { dialFailure, flat, readBody, statusFailure } from './failure.js';
import { tcpKeepAliveMs } from './network.js';
import type { IncomingMessage } from 'node:http';
import type { Socket as NetSocket } from 'node:net';
import type { ClientOptions } from 'ws';
import type { Clock } from '../clock.js';
import type { DialOptions } from './agent.js';
import type { Network } from './network.js';

/** One WebSocket, open. The only file that knows the library behind it. */
export interface Socket {
  /**
   * `done` is called once: when the operating system has taken the last byte, or with the error that kept it from doing so. The socket has
   * then ended, and `closed` tells how.
   */
  send(text: string, done: (error: Error | undefined) => void): void;
  /** `pong` of the listener brings the payload back. */
  ping(payload: string): void;
  /** All bytes that ever came: they grow also in the middle of a frame. */
  readonly bytesRead: number;
  /** Frames that were already read may still arrive. */
  pause(): void;
  resume(): void;
  /** An idle socket does not keep the process alive; one that a turn uses does. */
  ref(): void;
  unref(): void;
  /** Ends it with a close frame, and without one if the peer does not answer in time. */
  close(code: number, reason: string): void;
  /** Ends it now. */
  terminate(): void;
  /** `Network.identityOf` the headers it was dialled with. */
  identity: string;
  /** The headers with which the upgrade was answered, without cookies; names in lower case. */
  welcome: Readonly<Record<string, string>>;
}

export interface SocketListener {
  message(text: string): void;
  /** The peer has sent a ping, and has been answered. */
  pinged(): void;
  ponged(payload: string): void;
  /** Called once, whatever ended it. `code` 1006: no close frame came. */
  closed(end: SocketEnd): void;
}

export interface SocketEnd {
  code: number;
  reason: string;
  cause: Error | undefined;
  /** The peer broke the rules of WebSocket: what it did, in words. */
  violation: string | undefined;
}

/** How long the peer has to end the connection once a close frame was sent or read, in milliseconds. */
const closeTimeout = 1000;

/**
 * A message in more frames, or one frame in more reads from the network, ends the connection: each costs some hundred bytes beside what it
 * carries, so that a flood of tiny ones could fill the memory without ever being large (N8). The largest event passes in
 * frames of 4 KiB and in reads of 1 KiB.
 */
const maxFragments = maxEventBytes / 4096;
const maxBufferedChunks = maxEventBytes / 1024;

/** The type of the library's options does not know all of these yet. */
type SocketOptions = ClientOptions &
  DialOptions & { closeTimeout: number; maxFragments: number; maxBufferedChunks: number };

/**
 * Dials and upgrades, within `dialMs`.
 *
 * Not done, on purpose: no compression (P7; a deflate bomb is not worth its savings here), no redirects (P8: they would carry the key
 * elsewhere), no subprotocol (P5), nothing is sent before the upgrade is answered (E4).
 *
 * @throws TurnwireError `dial_failed`, `dial_timeout`, `proxy_failed`, `upgrade_refused`, `credential_failed`; or what `signal` was aborted with.
 */
export async function openSocket(
  network: Network,
  listener: SocketListener,
  options: { dialMs: number; clock: Clock; signal: AbortSignal },
): Promise<Socket> {
  const { signal, clock, dialMs } = options;
  const headers = await network.handshake(signal);
  signal.throwIfAborted();
  const { endpoint, route } = network;
  const identity = network.identityOf(headers);
  const dialling = new AbortController();
  return new Promise((resolve, reject) => {
    const socketOptions: SocketOptions = {
      agent: network.singleUseAgent,
      abandoned: dialling.signal,
      headers,
      perMessageDeflate: false,
      followRedirects: false,
      maxPayload: maxEventBytes,
      maxFragments,
      maxBufferedChunks,
      closeTimeout,
    };
    const socket = new WebSocket(endpoint.webSocketUrl, socketOptions);
    let raw: NetSocket | undefined;
    let welcome: Socket['welcome'] = {};
    let settled = false;
    let ended = false;

    const timer = clock.after(dialMs, () =>
      giveUp(
        new TurnwireError(
          'dial_timeout',
          `${route} did not answer the WebSocket upgrade within ${dialMs} ms (timeouts.dialMs)`,
          { retryable: true },
        ),
      ),
    );
    const onAbort = (): void => giveUp(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });

    function settle(): boolean {
      if (settled) return false;
      settled = true;
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      return true;
    }
    function giveUp(reason: unknown): void {
      if (!settle()) return;
      reject(reason);
      dialling.abort(reason);
      socket.terminate();
    }

    socket.on('upgrade', (response: IncomingMessage) => {
      raw = response.socket;
      const { 'set-cookie': _, ...headers } = flat(response.headers);
      welcome = headers;
      raw.setKeepAlive(true, tcpKeepAliveMs);
    });
    socket.on('open', () => {
      if (settle()) resolve(wrap(socket, raw, { identity, welcome }));
      else socket.terminate();
    });
    socket.on('unexpected-response', (_request, response: IncomingMessage) => {
      timer.cancel();
      void readBody(response, clock).then((body) =>
        giveUp(
          statusFailure(
            'upgrade_refused',
            endpoint.origin,
            { status: response.statusCode ?? 0, headers: response.headers, body, identity: headers },
            'queued',
          ),
        ),
      );
    });
    // There is a listener for the whole life of the socket: an `error` that nobody listens to ends the process (I5, I6).
    socket.on('error', (error: Error) => {
      if (!settled) return giveUp(dialFailure(route, error));
      // The library has answered with a close frame and now waits for the peer's; the turn need not.
      end({ code: abnormalClosure, reason: '', cause: error, violation: clean(error.message) });
    });
    socket.on('message', (message: Buffer, binary: boolean) => {
      if (ended) return;
      // Without an argument it is UTF-8, and a good deal faster.
      if (!binary) return listener.message(message.toString());
      socket.close(unsupportedData);
      end({
        code: abnormalClosure,
        reason: '',
        cause: undefined,
        violation: 'the server sent a binary frame, which this protocol does not have',
      });
    });
    socket.on('ping', () => {
      if (!ended) listener.pinged();
    });
    socket.on('pong', (payload: Buffer) => {
      if (!ended) listener.ponged(payload.toString('latin1'));
    });
    socket.on('close', (code: number, reason: Buffer) =>
      end({ code, reason: clean(reason.toString('utf8')), cause: undefined, violation: undefined }),
    );
    function end(how: SocketEnd): void {
      if (ended) return;
      ended = true;
      listener.closed(how);
    }
  });
}

function wrap(socket: WebSocket, raw: NetSocket | undefined, said: Pick<Socket, 'identity' | 'welcome'>): Socket {
  return {
    send: (text, done) => socket.send(text, (error) => done(error ?? undefined)),
    ping: (payload) => {
      if (socket.readyState === WebSocket.OPEN) socket.ping(payload);
    },
    get bytesRead() {
      return raw?.bytesRead ?? 0;
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    ref: () => raw?.ref(),
    unref: () => raw?.unref(),
    close: (code, reason) => {
      // A paused socket never reads the answer.
      socket.resume();
      socket.close(code, reason);
    },
    terminate: () => socket.terminate(),
    ...said,
  };
}

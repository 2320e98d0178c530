import { WebSocket } from 'ws';
import { describeHeaders, NoAnswer, parsed, seconds } from './http.js';
import { addressOf, authorization } from './target.js';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Credential, Target } from './target.js';
import type { Trace } from './trace.js';

/** The largest frame, and the most unread bytes, before the connection is ended. */
const maxBytes = 32 * 1024 * 1024;
const maxRefusalBytes = 64 * 1024;

export interface SocketOptions {
  headers?: Readonly<Record<string, string>>;
  /** @default 'own' */
  credential?: Credential;
}

/** An event of a socket, as `next` gives it. */
export type Incoming =
  | { kind: 'frame'; text: string; binary: boolean; json: unknown; at: number }
  | { kind: 'close'; code: number; reason: string }
  | { kind: 'timeout' };

/** Thrown where the server answers an upgrade with an ordinary answer. */
export class UpgradeRefused extends Error {
  override readonly name = 'UpgradeRefused';
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly json: unknown;

  constructor(incoming: IncomingMessage, body: string) {
    super(`the upgrade was refused with status ${incoming.statusCode ?? 0}`);
    this.status = incoming.statusCode ?? 0;
    this.headers = incoming.headers;
    this.json = parsed(body);
  }
}

/** A WebSocket without any recovery, which keeps frames in order until they are read. */
export class ProbeSocket {
  readonly #socket: WebSocket;
  readonly #trace: Trace;
  readonly #timeoutMs: number;
  readonly #unread: Incoming[] = [];
  #bytes = 0;
  #closed: Extract<Incoming, { kind: 'close' }> | undefined;
  #wake: (() => void) | undefined;
  #opened = false;

  /**
   * Opens a WebSocket at the path `responses`.
   *
   * @throws UpgradeRefused, NoAnswer
   */
  static async open(target: Target, trace: Trace, options: SocketOptions = {}): Promise<ProbeSocket> {
    const url = addressOf(target, 'responses');
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const headers = { ...authorization(target, options.credential ?? 'own'), ...options.headers };
    trace.sent(`GET ${url.pathname}, upgrade: websocket`);
    const connection = await target.connect?.();
    const socket = new WebSocket(url, {
      headers,
      ...(connection === undefined ? {} : { createConnection: () => connection }),
      handshakeTimeout: target.timeoutMs,
      perMessageDeflate: false,
      followRedirects: false,
      maxPayload: maxBytes,
    });
    return new Promise((resolve, reject) => {
      socket.once('unexpected-response', (_request, incoming) => {
        trace.received(`${incoming.statusCode ?? 0} ${describeHeaders(incoming.headers)}`);
        void (async () => {
          reject(new UpgradeRefused(incoming, await shortBody(incoming)));
          socket.terminate();
        })();
      });
      socket.once('error', (error) => reject(new NoAnswer(error.message, { cause: error })));
      // The listeners are added before the socket is open, since frames may come together with the 101.
      const opened = new ProbeSocket(socket, trace, target.timeoutMs);
      socket.once('upgrade', () => trace.received('101'));
      socket.once('open', () => resolve(opened));
    });
  }

  private constructor(socket: WebSocket, trace: Trace, timeoutMs: number) {
    this.#socket = socket;
    this.#trace = trace;
    this.#timeoutMs = timeoutMs;
    socket.once('open', () => {
      this.#opened = true;
    });
    socket.on('error', () => {
      // The event 'close' follows, with the right code.
    });
    socket.on('message', (raw: Buffer, binary) => {
      const text = raw.toString('utf8');
      trace.received(binary ? `(binary, ${raw.length} bytes)` : text);
      this.#bytes += raw.length;
      if (this.#bytes > maxBytes) return socket.terminate();
      this.#unread.push({ kind: 'frame', text, binary, json: parsed(text), at: performance.now() });
      this.#wake?.();
    });
    socket.once('close', (code, reason) => {
      this.#closed = { kind: 'close', code, reason: reason.toString() };
      if (this.#opened) trace.received(`(closed: ${code}${reason.length === 0 ? '' : ` ${reason.toString()}`})`);
      this.#wake?.();
    });
  }

  send(event: object | string): void {
    const text = typeof event === 'string' ? event : JSON.stringify(event);
    this.#trace.sent(text);
    this.#socket.send(text, () => {});
  }

  /** The next frame; the close once no frame is left. */
  async next(timeoutMs = this.#timeoutMs): Promise<Incoming> {
    const first = (): Incoming | undefined => this.#unread.shift() ?? this.#closed;
    const waiting = first();
    if (waiting !== undefined) return this.#counted(waiting);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
    const came = first();
    if (came !== undefined) return this.#counted(came);
    this.#trace.received(`(nothing for ${seconds(timeoutMs)})`);
    return { kind: 'timeout' };
  }

  /** The milliseconds until a pong; undefined where none comes. */
  async ping(timeoutMs: number): Promise<number | undefined> {
    const socket = this.#socket;
    const began = performance.now();
    this.#trace.sent('(ping)');
    return new Promise((resolve) => {
      const finish = (came: boolean): void => {
        clearTimeout(timer);
        socket.off('pong', pong);
        socket.off('close', gone);
        this.#trace.received(came ? '(pong)' : '(no pong)');
        resolve(came ? performance.now() - began : undefined);
      };
      const pong = (): void => finish(true);
      const gone = (): void => finish(false);
      const timer = setTimeout(gone, timeoutMs);
      socket.once('pong', pong);
      socket.once('close', gone);
      if (socket.readyState === WebSocket.OPEN) socket.ping(() => {});
      else gone();
    });
  }

  /** Closes the socket with a closing handshake. Gives the code of the server's answer, or 1006 without one. */
  async close(timeoutMs = 5000): Promise<number> {
    const ended = (): Incoming | undefined => this.#closed;
    const before = ended();
    if (before?.kind === 'close') return before.code;
    this.#trace.sent('(close 1000)');
    this.#socket.close(1000);
    const timer = setTimeout(() => this.#socket.terminate(), timeoutMs);
    await new Promise<void>((resolve) => {
      if (this.#socket.readyState === WebSocket.CLOSED) resolve();
      else this.#socket.once('close', () => resolve());
    });
    clearTimeout(timer);
    const after = ended();
    return after?.kind === 'close' ? after.code : 1006;
  }

  /** Ends the socket at once. */
  leave(): void {
    this.#trace.sent('(connection ended)');
    this.#socket.terminate();
  }

  #counted(incoming: Incoming): Incoming {
    if (incoming.kind === 'frame') this.#bytes -= Buffer.byteLength(incoming.text);
    return incoming;
  }
}

async function shortBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const timer = setTimeout(() => incoming.destroy(), 5000);
  try {
    for await (const chunk of incoming) {
      chunks.push(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes > maxRefusalBytes) break;
    }
  } catch {
    // The bytes that came before the error are the whole answer.
  }
  clearTimeout(timer);
  return Buffer.concat(chunks).toString('utf8');
}

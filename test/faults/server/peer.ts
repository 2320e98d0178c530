import { createHash } from 'node:crypto';
import { Backlog } from './backlog.js';
import { Exchanges, isTerminal } from './exchange.js';
import { closeFrame, frame, FrameReader, opcodes } from './frame.js';
import type { Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import type { Json } from './events.js';
import type { FrameOptions } from './frame.js';

export interface Head {
  method: string;
  path: string;
  headers: Record<string, string>;
}

/** The server's action at each step; a missing step is done as a correct server does it. */
export interface Script {
  /** The server speaks TLS, with these. @default plain text */
  tls?: TlsOptions;
  /** A WebSocket upgrade was asked for. @default accepts it */
  upgrade?: (peer: Peer, head: Head) => void;
  /** A `response.create` has come; `count` is its number on this connection, from 1. @default never answers */
  create?: (peer: Peer, create: Json, count: number) => void;
  /** A client event of another type has come. @default never answers */
  message?: (peer: Peer, message: Json) => void;
  /** A POST asks whether its body is wanted. @default it is */
  expect?: (peer: Peer, head: Head) => void;
  /** A POST has come. @default never answers */
  post?: (peer: Peer, body: Json, head: Head) => void;
}

/** How the client's side of a connection ended. */
export interface PeerEnd {
  /** The code of its close frame, if it sent one. */
  closeCode: number | undefined;
  at: number;
}

/** One TCP connection of the fault server. Speaks HTTP until an upgrade is accepted, WebSocket from then on. */
export class Peer {
  readonly number: number;
  /** The port of the client's side, or of a proxy's. */
  readonly remotePort: number | undefined;
  readonly creates: Json[] = [];
  readonly posts: Json[] = [];
  /** Client events that are no `response.create`. */
  readonly messages: Json[] = [];
  readonly heads: Head[] = [];
  readonly exchanges = new Exchanges();
  /** Creates that have no terminal event yet: above 1, the client has put two turns on one connection. */
  unanswered = 0;
  mostUnanswered = 0;
  /** A test wrote bytes of its own here, of which the oracle knows nothing. */
  handwritten = false;
  /** The bodies and frames of requests, as far as a search for secrets needs them. */
  received = '';
  /** Control frames of the client, by opcode. */
  readonly control: number[] = [];
  readonly ended: Promise<PeerEnd>;
  /** Answers a close frame and ends the connection then, as RFC 6455 asks. */
  answersClose = true;
  /** Its responses name what they continue, where the test does not say what they name. */
  echoes = true;
  /** Answers pings, as RFC 6455 asks. */
  answersPings = true;
  /** A message with more bytes is closed with 1009, and without an event (P88). */
  maxInboundBytes = Infinity;
  readonly socket: Socket;
  readonly #script: Script;
  readonly #backlog = new Backlog();
  #frames: FrameReader | undefined;
  #message: Buffer[] = [];
  #closeCode: number | undefined;
  /** The request that is coming has asked whether its body is wanted, and was answered. */
  #continued = false;

  constructor(number: number, socket: Socket, script: Script) {
    this.number = number;
    this.socket = socket;
    this.remotePort = socket.remotePort;
    this.#script = script;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#data(chunk));
    // Resets are what this server is for.
    socket.on('error', () => {});
    this.ended = new Promise((resolve) => {
      socket.once('close', () => resolve({ closeCode: this.#closeCode, at: performance.now() }));
    });
  }

  /** Answers the upgrade; `more` goes out in the same segment, `headers` are lines for its head. */
  accept(more: Buffer = Buffer.alloc(0), headers = ''): void {
    const key = this.heads.at(-1)?.headers['sec-websocket-key'] ?? '';
    // The GUID of RFC 6455, section 1.3.
    const proof = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    this.#frames = new FrameReader();
    const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${proof}\r\n${headers}\r\n`;
    this.#write(Buffer.concat([Buffer.from(head), more]));
  }

  /** The body of the request is wanted. */
  continue(): void {
    this.#write('HTTP/1.1 100 Continue\r\n\r\n');
  }

  /** A whole HTTP answer. */
  http(status: number, body: string | Buffer = '', headers: Record<string, string> = {}): void {
    this.exchanges.refused(status);
    this.#write(this.httpBytes(status, body, headers));
  }

  httpBytes(status: number, body: string | Buffer, headers: Record<string, string>): Buffer {
    const bytes = Buffer.from(body);
    return Buffer.concat([this.#head(status, { 'content-length': String(bytes.length), ...headers }), bytes]);
  }

  /** The head of an event stream; its body ends with `endStream`, or with the connection. */
  stream(headers: Record<string, string> = {}): void {
    this.#write(this.#head(200, { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked', ...headers }));
  }

  /** A piece of the stream's body, in a chunk of its own. */
  chunk(text: string | Buffer): void {
    this.handwritten = true;
    this.#chunk(text);
  }

  /** Events as an event stream writes them. */
  sse(...given: Json[]): void {
    const events = given.map((event) => this.#echoing(event));
    for (const event of events) this.exchanges.wrote(event);
    this.#chunk(events.map((event) => `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`).join(''));
  }

  endStream(): void {
    this.#write('0\r\n\r\n');
  }

  /** Events in text frames, all in one segment. */
  events(...events: Json[]): void {
    this.#write(this.encode(...events));
  }

  /** Events in a segment each, as far as TCP lets us say so. */
  async emit(events: readonly Json[], { afterMs = 0 }: { afterMs?: number } = {}): Promise<void> {
    for (const event of events) {
      await new Promise((resolve) => (afterMs > 0 ? setTimeout(resolve, afterMs) : setImmediate(resolve)));
      if (!this.socket.writable) return;
      this.events(event);
    }
  }

  /** One event in fragments of `size` bytes. */
  fragment(given: Json, size: number): void {
    const event = this.#echoing(given);
    this.exchanges.wrote(event);
    if (isTerminal(event)) this.unanswered -= 1;
    const payload = Buffer.from(JSON.stringify(event));
    const parts: Buffer[] = [];
    for (let at = 0; at < payload.length; at += size) {
      const fin = at + size >= payload.length;
      const opcode = at === 0 ? opcodes.text : opcodes.continuation;
      parts.push(frame(payload.subarray(at, at + size), { fin, opcode }));
    }
    this.#write(Buffer.concat(parts));
  }

  /** The first `bytes` of the frame of an event, header included. */
  halfFrame(event: Json, bytes: number): void {
    this.#write(frame(JSON.stringify(event)).subarray(0, bytes));
  }

  rawFrame(payload: string | Buffer, options: FrameOptions = {}): void {
    this.raw(frame(payload, options));
  }

  /** Bytes one by one, until the connection ends. */
  drip(bytes: Buffer, everyMs: number): void {
    let at = 0;
    const timer = setInterval(() => {
      if (at < bytes.length) this.#write(bytes.subarray(at, (at += 1)));
      else clearInterval(timer);
    }, everyMs);
    void this.ended.then(() => clearInterval(timer));
  }

  /** Reads no more than so many bytes a second from now on. */
  throttle(bytesPerSecond: number): void {
    let allowance = 0;
    this.socket.on('data', (chunk: Buffer) => {
      allowance -= chunk.length;
      if (allowance < 0) this.socket.pause();
    });
    const timer = setInterval(() => {
      allowance = Math.min(bytesPerSecond, allowance + bytesPerSecond / 20);
      if (allowance >= 0) this.socket.resume();
    }, 50);
    void this.ended.then(() => clearInterval(timer));
  }

  encode(...given: Json[]): Buffer {
    const events = given.map((event) => this.#echoing(event));
    for (const event of events) {
      this.exchanges.wrote(event);
      if (isTerminal(event)) this.unanswered -= 1;
    }
    return Buffer.concat(events.map((event) => frame(JSON.stringify(event))));
  }

  /** Bytes as they are: whatever a test wants to be wrong. */
  raw(bytes: Buffer | string): void {
    this.handwritten = true;
    this.#write(bytes);
  }

  /** A close frame; the connection stays until the client ends it. */
  close(code?: number, reason = ''): void {
    this.#write(closeFrame(code, reason));
  }

  /** Ends the connection without a close frame. */
  fin(): void {
    this.socket.end();
  }

  rst(): void {
    // libuv refuses to reset a socket whose FIN is on its way, and Node then never says that it has closed.
    if (this.socket.writableEnded && !this.socket.writableFinished) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  #echoing(event: Json): Json {
    const { type, response } = event as { type?: unknown; response?: Json };
    if (!this.echoes || type !== 'response.created' || response === undefined || 'previous_response_id' in response)
      return event;
    const { previous_response_id: id } = this.exchanges.asking(event) ?? {};
    return id === undefined ? event : { ...event, response: { ...response, previous_response_id: id } };
  }

  #write(bytes: Buffer | string): void {
    if (this.socket.writable) this.socket.write(bytes);
  }

  #chunk(text: string | Buffer): void {
    const bytes = Buffer.from(text);
    this.#write(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]));
  }

  #head(status: number, headers: Record<string, string>): Buffer {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return Buffer.from(`HTTP/1.1 ${status} Some Reason\r\n${lines.join('')}\r\n`);
  }

  #data(chunk: Buffer): void {
    if (this.#frames !== undefined) return this.#webSocket(this.#frames, chunk);
    this.#backlog.push(chunk);
    const bytes = this.#backlog.bytes;
    const end = bytes?.indexOf('\r\n\r\n') ?? -1;
    if (bytes === undefined || end === -1) return;
    const head = parseHead(bytes.subarray(0, end).toString('latin1'));
    const length = Number(head.headers['content-length'] ?? 0);
    const body = bytes.subarray(end + 4, end + 4 + length);
    if (head.headers['expect'] !== undefined && !this.#continued) {
      this.#continued = true;
      (this.#script.expect ?? ((peer) => peer.continue()))(this, head);
    }
    if (body.length < length) {
      this.#backlog.awaited = end + 4 + length;
      return;
    }
    this.#backlog.drop(bytes.length);
    this.#continued = false;
    this.heads.push(head);
    if (head.headers['upgrade'] === 'websocket') return (this.#script.upgrade ?? ((peer) => peer.accept()))(this, head);
    this.#keep(body.toString('utf8'));
    const parsed = JSON.parse(body.toString('utf8')) as Json;
    this.posts.push(parsed);
    this.exchanges.begin(this.number, 'sse', parsed);
    this.#script.post?.(this, parsed, head);
  }

  /** For the oracle's search for secrets, which need not read megabytes. */
  #keep(text: string): void {
    if (this.received.length < 1_000_000) this.received += text.slice(0, 100_000);
  }

  #webSocket(reader: FrameReader, chunk: Buffer): void {
    for (const { opcode, fin, payload } of reader.push(chunk)) {
      if (opcode >= opcodes.close) {
        this.control.push(opcode);
        if (opcode === opcodes.close) {
          this.#closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
          if (this.answersClose) this.socket.end(closeFrame(this.#closeCode === 1005 ? undefined : this.#closeCode));
        }
        if (opcode === opcodes.ping && this.answersPings) this.#write(frame(payload, { opcode: opcodes.pong }));
        continue;
      }
      this.#message.push(payload);
      if (!fin) continue;
      const bytes = Buffer.concat(this.#message.splice(0));
      if (bytes.length > this.maxInboundBytes) return this.close(1009);
      this.#keep(bytes.toString('utf8'));
      const create = JSON.parse(bytes.toString('utf8')) as Json;
      if (create['type'] !== 'response.create') {
        this.messages.push(create);
        if (create['type'] === 'response.steer') this.exchanges.steered(create);
        this.#script.message?.(this, create);
        continue;
      }
      this.creates.push(create);
      this.exchanges.begin(this.number, 'websocket', create);
      this.unanswered += 1;
      this.mostUnanswered = Math.max(this.mostUnanswered, this.unanswered);
      this.#script.create?.(this, create, this.creates.length);
    }
  }
}

function parseHead(text: string): Head {
  const [request = '', ...lines] = text.split('\r\n');
  const [method = '', path = ''] = request.split(' ');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { method, path, headers };
}

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocket, type ClientOptions } from 'ws';
import type { Emulator } from '../dist/index.js';

/** An event, an error frame or a JSON body, which only assertions read. */
export type Json = ReturnType<typeof JSON.parse>;

export interface SseEvent {
  readonly event: string;
  readonly data: string;
}

export function json(text: string): Json {
  return JSON.parse(text);
}

export function post(url: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(`${url}/responses`, { method: 'POST', body: text, ...init });
}

/** The JSON of the answer, and its status as `httpStatus`. */
export async function postJson(url: string, body: unknown): Promise<Json> {
  const response = await post(url, body);
  return Object.assign(json(await response.text()), { httpStatus: response.status });
}

/** Splits an SSE body, each of whose events must have exactly one `event:` line and one `data:` line. */
export function parseSse(body: string): readonly SseEvent[] {
  const blocks = body.split('\n\n');
  if (blocks.pop() !== '') throw new Error('The body does not end with an empty line.');
  return blocks.map((block) => {
    const match = /^event: (.+)\ndata: (.+)$/.exec(block);
    if (match === null) throw new Error(`Not an event: ${block}`);
    return { event: match[1] ?? '', data: match[2] ?? '' };
  });
}

export async function postSse(url: string, body: object): Promise<readonly SseEvent[]> {
  const response = await post(url, { ...body, stream: true });
  if (response.status !== 200) throw new Error(`status ${response.status}: ${await response.text()}`);
  return parseSse(await response.text());
}

const TERMINAL = /^(response\.(completed|failed|incomplete)|error)$/;

/** A raw socket that queues what it receives, so that no frame is missed between two reads. */
export class RawSocket {
  readonly socket: WebSocket;
  readonly closed: Promise<number>;
  readonly #frames: string[] = [];
  #wake: () => void = () => undefined;
  #isClosed = false;

  constructor(url: string, headers: Record<string, string> = {}, options: ClientOptions = {}) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/responses`, { ...options, headers });
    this.socket.on('message', (raw: Buffer) => {
      this.#frames.push(raw.toString());
      this.#wake();
    });
    this.closed = once(this.socket, 'close').then(([code]) => {
      this.#isClosed = true;
      this.#wake();
      return Number(code);
    });
  }

  static async open(url: string, headers?: Record<string, string>): Promise<RawSocket> {
    const raw = new RawSocket(url, headers);
    await once(raw.socket, 'open');
    return raw;
  }

  create(body: object): void {
    this.socket.send(JSON.stringify({ type: 'response.create', ...body }));
  }

  async frame(): Promise<string> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      if (this.#isClosed) throw new Error('The socket closed before the next frame.');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The frames of one turn, up to and including its terminal event. */
  async turn(): Promise<readonly Json[]> {
    const events: Json[] = [];
    for (;;) {
      const event = json(await this.frame());
      events.push(event);
      if (TERMINAL.test(event['type'] ?? '')) return events;
    }
  }

  async ask(body: object): Promise<readonly Json[]> {
    this.create(body);
    return this.turn();
  }

  close(): void {
    this.socket.terminate();
  }
}

/** The last event of a turn. */
export function terminal(events: readonly Json[]): Json {
  const last = events.at(-1);
  if (last === undefined) throw new Error('The turn has no events.');
  return last;
}

export function answerTo(call: Json, output: string): object {
  return { type: 'function_call_output', call_id: call['call_id'], output };
}

/** The path of a folder of third-party test material beside the repository; undefined if it does not exist. */
export function sharedFolder(name: string): string | undefined {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, 'shared', name);
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}

/** Reads events up to and including the first one for which `isLast` returns true. */
export async function until(socket: RawSocket, isLast: (event: Json) => boolean): Promise<readonly Json[]> {
  const events: Json[] = [];
  for (;;) {
    const event = json(await socket.frame());
    events.push(event);
    if (isLast(event)) return events;
  }
}

/** Waits until a condition of the emulator holds that no event announces. */
export async function waitFor(happened: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !happened();) {
    if (Date.now() > end) throw new Error(`Has not happened in 20 s: ${String(happened)}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** The texts of the user messages in the context of the newest turn. */
export function userTexts({ journal }: Pick<Emulator, 'journal'>): readonly string[] {
  const users =
    journal
      .turns()
      .at(-1)
      ?.transcript.filter(({ role }) => role === 'user') ?? [];
  return users.map(({ content }) => (typeof content === 'string' ? content : String(Object(content)[0]?.text)));
}

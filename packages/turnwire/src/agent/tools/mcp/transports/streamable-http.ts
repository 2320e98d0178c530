import { setTimeout as delay } from 'node:timers/promises';
import type { Response } from 'undici';
import { isEventStream, readEvents, type StreamListener } from './event-stream.js';
import { McpFailure } from '../failure.js';
import { type Http, textOf } from './http.js';
import { type Message, parseMessages } from '../message.js';
import { readRefusal, saysSessionIsLost } from './refusal.js';
import { messageLimit, type Receiver, type Transport } from './transport.js';

/** The wait before a stream is requested again, in milliseconds, where the server does not name one; and the longest wait that it may name. */
const resumeMs = 1000;
const longestResumeMs = 30_000;
/** The requests in a row for a stream that brings nothing. */
const mostResumes = 5;
/** The time for ending a session, in milliseconds. */
const closeMs = 1000;

const accept = 'application/json, text/event-stream';

/** The codes of errors about the session or the message. With other codes, a tool may be speaking of sessions of its own. */
const sessionErrorCodes: ReadonlySet<unknown> = new Set([-32000, -32001, -32600]);

function isAboutSession({ code, message }: { code: number | undefined; message: string }): boolean {
  return sessionErrorCodes.has(code) && saysSessionIsLost(message);
}

/** MCP over HTTP, with a POST for each message. The answer is JSON, or a stream of events that ends with it. */
export class StreamableHttpTransport implements Transport {
  readonly exchanges = true;
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #http: Http;
  readonly #closing = new AbortController();
  #receiver: Receiver | undefined;
  #session: string | undefined;
  #version: string | undefined;
  /** The stream for messages that answer no request; settles when there is none any more. */
  #listening: Promise<void> = Promise.resolve();

  constructor(url: URL, headers: Readonly<Record<string, string>>, http: Http) {
    this.#url = url;
    this.#headers = headers;
    this.#http = http;
  }

  start(receiver: Receiver): Promise<void> {
    this.#receiver = receiver;
    return Promise.resolve();
  }

  async send(message: object, signal?: AbortSignal): Promise<void> {
    const request = 'method' in message && 'id' in message ? { id: String(message.id) } : undefined;
    const introduces = 'method' in message && message.method === 'initialize';
    const response = await this.#http.request(this.#url, {
      method: 'POST',
      headers: this.#headersFor({ accept, 'content-type': 'application/json' }),
      body: JSON.stringify(message),
      signal,
    });
    if (!response.ok) {
      const hasSession = this.#session !== undefined && !introduces;
      const refusal = await readRefusal(response, { url: this.#url, hasSession, requestId: request?.id });
      if (refusal instanceof McpFailure) throw refusal;
      this.#receiver?.message(refusal);
      return;
    }
    if (introduces) this.#session = response.headers.get('mcp-session-id') ?? undefined;
    if (request === undefined) await response.body?.cancel();
    else if (response.status === 202) {
      // The answer comes by the other stream, if there is one.
      await response.body?.cancel();
      await this.#listening;
    } else if (isEventStream(response)) await this.#readStream(response, request.id, signal);
    else await this.#readText(response, request.id, signal);
  }

  ready(protocolVersion: string): void {
    // The version becomes a header, so other characters are left out.
    this.#version = /^[\x21-\x7e]+$/.test(protocolVersion) ? protocolVersion : undefined;
    this.#listening = this.#listen().catch(() => undefined);
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new Error('the connection was closed'));
    const headers = this.#headersFor({ accept });
    if (this.#session !== undefined) {
      const signal = AbortSignal.timeout(closeMs);
      await this.#http
        .request(this.#url, { method: 'DELETE', headers, signal })
        .then((response) => response.body?.cancel())
        .catch(() => undefined);
    }
    this.#http.close();
  }

  #headersFor(own: Readonly<Record<string, string>>): Record<string, string> {
    const names = new Set(Object.keys(own));
    const given = Object.entries(this.#headers).filter(([name]) => !names.has(name.toLowerCase()));
    return {
      ...Object.fromEntries(given),
      ...own,
      ...(this.#session !== undefined && { 'mcp-session-id': this.#session }),
      ...(this.#version !== undefined && { 'mcp-protocol-version': this.#version }),
    };
  }

  async #readText(response: Response, id: string, signal: AbortSignal | undefined): Promise<void> {
    const text = await textOf(response, messageLimit, signal);
    const messages = parseMessages(text);
    if (messages.length === 0) {
      const type = response.headers.get('content-type') ?? 'none';
      const said = text.trim() === '' ? 'nothing' : `no message of MCP (content type ${type})`;
      throw new McpFailure('unanswered', `it answered with ${said}`);
    }
    const answers = messages.filter(({ kind }) => kind === 'answer');
    for (const message of messages)
      // A single answer in the response to a request is the answer to that request, whatever id it has.
      this.#receive(message.kind === 'answer' && answers.length === 1 ? { ...message, id } : message, id);
  }

  /** Reads the stream that answers a request. Where it ends too early and the server has numbered its events, requests the rest of it. */
  async #readStream(first: Response, id: string, signal: AbortSignal | undefined): Promise<void> {
    let last: string | undefined;
    let waitMs = resumeMs;
    let heard = true;
    const listener: StreamListener = {
      event: ({ data }) => {
        heard = true;
        return parseMessages(data).filter((message) => this.#receive(message, id)).length > 0;
      },
      id: (given) => {
        heard ||= given !== last;
        last = given;
      },
      retry: (ms) => {
        waitMs = Math.min(ms, longestResumeMs);
      },
    };
    let response = first;
    for (let resumes = 0; resumes <= mostResumes; resumes += 1) {
      try {
        if (await readEvents(response, listener, signal)) return;
      } catch (error) {
        const brokeOff = error instanceof McpFailure && error.kind === 'unanswered';
        if (last === undefined || !brokeOff) throw error;
      }
      if (last === undefined) return;
      if (heard) resumes = 0;
      heard = false;
      await delay(waitMs, undefined, signal && { signal }).catch(() => signal?.throwIfAborted());
      response = await this.#stream(last, signal);
      if (!response.ok)
        throw new McpFailure('unanswered', `it does not give the rest of its answer (status ${response.status})`);
    }
  }

  /** True for the answer to this request. */
  #receive(message: Message, id: string): boolean {
    const mine = message.kind === 'answer' && (message.id === undefined || message.id === id);
    if (mine && message.answer.kind === 'error' && isAboutSession(message.answer))
      throw new McpFailure('connection_lost', message.answer.message);
    this.#receiver?.message(mine ? { ...message, id } : message);
    return mine;
  }

  #stream(lastId: string | undefined, signal: AbortSignal | undefined): Promise<Response> {
    const resuming = lastId === undefined ? {} : { 'last-event-id': lastId };
    const headers = this.#headersFor({ accept: 'text/event-stream', ...resuming });
    return this.#http.request(this.#url, { method: 'GET', headers, signal });
  }

  /** Reads the stream for messages that answer no request. Many servers have none. */
  async #listen(): Promise<void> {
    const { signal } = this.#closing;
    let last: string | undefined;
    let waitMs = resumeMs;
    for (let silent = 0; silent < 3; silent += 1) {
      const response = await this.#stream(last, signal);
      if (!response.ok || !isEventStream(response)) {
        await response.body?.cancel();
        return;
      }
      const listener: StreamListener = {
        event: ({ data }) => {
          silent = 0;
          for (const message of parseMessages(data)) this.#receiver?.message(message);
          return false;
        },
        id: (given) => {
          last = given;
        },
        retry: (ms) => {
          waitMs = Math.min(ms, longestResumeMs);
        },
      };
      await readEvents(response, listener, signal).catch(() => signal.throwIfAborted());
      await delay(waitMs, undefined, { signal, ref: false });
    }
  }
}

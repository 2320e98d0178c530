import { isEventStream, readEvents } from './event-stream.js';
import { McpFailure } from '../failure.js';
import { type Http, textOf } from './http.js';
import { parseMessages } from '../message.js';
import { readRefusal } from './refusal.js';
import type { Receiver, Transport } from './transport.js';

/** The largest answer to a POST, in bytes; it is usually empty. */
const answerLimit = 1024 * 1024;

/**
 * MCP over HTTP as it was before 2025. A stream of events brings all messages of the server, and first of all the address to post messages to. The stream is
 * the session: everything on it ends with it.
 */
export class LegacySseTransport implements Transport {
  readonly exchanges = false;
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #http: Http;
  readonly #closing = new AbortController();
  #receiver: Receiver | undefined;
  #endpoint: URL | undefined;
  #version: string | undefined;

  constructor(url: URL, headers: Readonly<Record<string, string>>, http: Http) {
    this.#url = url;
    this.#headers = headers;
    this.#http = http;
  }

  async start(receiver: Receiver, signal: AbortSignal): Promise<void> {
    this.#receiver = receiver;
    const onAbort = (): void => this.#closing.abort(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#open();
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #open(): Promise<void> {
    const { signal } = this.#closing;
    const headers = { ...this.#headers, accept: 'text/event-stream' };
    const response = await this.#http.request(this.#url, { method: 'GET', headers, signal });
    if (!response.ok) throw await readRefusal(response, { url: this.#url, hasSession: false });
    if (!isEventStream(response)) {
      await response.body?.cancel();
      const type = response.headers.get('content-type') ?? 'none';
      throw new McpFailure('refused', `it has no stream of events (content type ${type})`);
    }
    await new Promise<void>((resolve, reject) => {
      const reading = readEvents(
        response,
        {
          event: ({ type, data }) => {
            if (type !== 'endpoint') this.#receive(data);
            else if (this.#setEndpoint(data)) resolve();
            else reject(new McpFailure('refused', 'it wants messages to be posted to another server'));
            return false;
          },
        },
        signal,
      );
      reading.then(
        () => this.#lose(new McpFailure('unanswered', 'it ended its stream of events'), reject),
        (error: Error) =>
          this.#lose(error instanceof McpFailure ? error : new McpFailure('unanswered', error.message), reject),
      );
    });
  }

  async send(message: object, signal?: AbortSignal): Promise<void> {
    const url = this.#endpoint;
    if (url === undefined) throw new McpFailure('refused', 'it has not said where to post messages to');
    const response = await this.#http.request(url, {
      method: 'POST',
      headers: {
        ...this.#headers,
        'content-type': 'application/json',
        ...(this.#version !== undefined && { 'mcp-protocol-version': this.#version }),
      },
      body: JSON.stringify(message),
      signal,
    });
    if (!response.ok) {
      const requestId = 'method' in message && 'id' in message ? String(message.id) : undefined;
      const refusal = await readRefusal(response, { url, hasSession: true, requestId });
      if (refusal instanceof McpFailure) throw refusal;
      this.#receiver?.message(refusal);
      return;
    }
    // Some servers answer in the response to the POST.
    const text = await textOf(response, answerLimit, signal).catch(() => '');
    this.#receive(text);
  }

  ready(protocolVersion: string): void {
    // The version becomes a header, so other characters are left out.
    this.#version = /^[\x21-\x7e]+$/.test(protocolVersion) ? protocolVersion : undefined;
  }

  close(): Promise<void> {
    this.#closing.abort(new Error('the connection was closed'));
    this.#http.close();
    return Promise.resolve();
  }

  #receive(text: string): void {
    for (const message of parseMessages(text)) this.#receiver?.message(message);
  }

  #setEndpoint(data: string): boolean {
    const endpoint = URL.canParse(data, this.#url.href) ? new URL(data, this.#url) : undefined;
    if (endpoint?.origin !== this.#url.origin) return false;
    this.#endpoint = endpoint;
    return true;
  }

  #lose(failure: McpFailure, reject: (error: Error) => void): void {
    reject(failure);
    this.#receiver?.lost(failure);
  }
}

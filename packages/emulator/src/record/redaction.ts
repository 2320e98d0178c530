import type { IncomingHttpHeaders } from 'node:http';
import { isRecord } from '../wire/wire.js';
import { redactedText } from './format.js';
import { normalizePath } from './path.js';
import { shortestSecret, Spellings } from './spellings.js';

/** The headers that are recorded. Every other header is left out. */
const harmlessHeaders =
  /^(accept|content-type|content-length|user-agent|openai-(beta|model|version|processing-ms)|retry-after(-ms)?|x-should-retry|x-request-id|x-ratelimit-.+|x-reasoning-included|x-models-etag|x-turnwire-fault|upgrade|allow|cf-mitigated)$/;

/** The query parameters whose values are recorded. */
const harmlessParameters = new Set([
  'api-version',
  'stream',
  'starting_after',
  'limit',
  'order',
  'after',
  'before',
  'include',
  'include[]',
]);

const secretName = /auth|key|token|secret|cookie|session|password|credential/i;
/** The maximum number of learned secrets. Beyond it, those that were not sent for the longest time are forgotten and no longer redacted. */
const maxSecrets = 1000;

/**
 * Keeps secrets out of a recording in two ways. Only harmless headers and query values are recorded. And every credential that was seen is
 * replaced wherever it appears in the recording, also where a server repeats it. Not found: a secret that is sent in pieces, or that appears
 * in the text of a prompt and nowhere else.
 */
export class Redaction {
  /** The learned secrets, the one that was not sent for the longest time first. */
  readonly #secrets = new Map<string, Spellings>();
  /** The secrets that the recorder was given, which are never forgotten. */
  readonly #known: readonly Spellings[];

  constructor(known: readonly string[] = []) {
    this.#known = known.map((each) => new Spellings(each));
  }

  /** Learns the credentials in the headers and the query of a request or an answer. */
  learn(headers: IncomingHttpHeaders, url?: URL): void {
    for (const [name, value] of Object.entries(headers)) {
      if (secretName.test(name) && !harmlessHeaders.test(name))
        for (const each of [value].flat()) this.#learnValue(each ?? '');
    }
    // A browser can set no header of an upgrade, so it sends a key as a subprotocol: `openai-insecure-api-key.KEY`.
    for (const protocol of headers['sec-websocket-protocol']?.split(/\s*,\s*/) ?? [])
      if (secretName.test(protocol)) this.#add(protocol.slice(protocol.indexOf('.') + 1));
    if (url !== undefined) this.#learnUrl(url);
  }

  #learnUrl({ password, searchParams }: URL): void {
    this.#add(unescaped(password));
    for (const [name, value] of searchParams) if (!harmlessParameters.has(name)) this.#add(value);
  }

  /** Learns the credentials that a create holds for its tools, the tools of `additional_tools` items included. */
  learnBody(text: string): void {
    if (!text.includes('"tools"')) return;
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      return;
    }
    if (!isRecord(body)) return;
    const { tools, input } = body;
    const items = Array.isArray(input) ? input.filter(isRecord) : [];
    for (const list of [tools, ...items.map((item) => item['tools'])]) this.#learnTools(list);
  }

  #learnTools(tools: unknown): void {
    for (const tool of Array.isArray(tools) ? tools.filter(isRecord) : []) {
      const { headers, authorization, server_url: server } = tool;
      if (typeof authorization === 'string') this.#learnValue(authorization);
      if (typeof server === 'string' && URL.canParse(server)) this.#learnUrl(new URL(server));
      for (const value of isRecord(headers) ? Object.values(headers) : []) this.#learnValue(String(value));
    }
  }

  /** Bytes that are not UTF-8, with the secrets replaced. */
  bytes(bytes: Buffer): Buffer {
    return Buffer.from(this.text(bytes.toString('latin1')), 'latin1');
  }

  headers(headers: IncomingHttpHeaders): Record<string, string> {
    const written: Record<string, string> = {};
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined && harmlessHeaders.test(name)) written[name] = this.text(String(value));
    }
    return written;
  }

  /** A path with its query, whose values are replaced unless they are harmless. */
  path(url: URL, path: string): string {
    const show = (name: string, value: string) =>
      harmlessParameters.has(name) ? encodeURIComponent(value) : redactedText;
    return this.text(normalizePath(path, url.searchParams, show));
  }

  text(text: string): string {
    let redacted = text;
    for (const secret of [...this.#known, ...this.#secrets.values()]) redacted = secret.replace(redacted, redactedText);
    return redacted;
  }

  #learnValue(value: string): void {
    // The value may be `Bearer TOKEN`, `Basic BASE64` or `name=value; name=value`.
    for (const part of value.split(/[;,\s]+/)) {
      this.#add(part);
      const at = part.indexOf('=');
      if (at !== -1) this.#add(part.slice(at + 1));
    }
    const basic = /^Basic\s+(\S+)$/i.exec(value)?.[1];
    if (basic === undefined) return;
    const decoded = Buffer.from(basic, 'base64').toString('utf8');
    this.#add(decoded.slice(decoded.indexOf(':') + 1));
  }

  #add(value: string): void {
    if (value.length < shortestSecret) return;
    const pattern = this.#secrets.get(value) ?? new Spellings(value);
    this.#secrets.delete(value);
    this.#secrets.set(value, pattern);
    const [oldest] = this.#secrets.keys();
    if (this.#secrets.size > maxSecrets && oldest !== undefined) this.#secrets.delete(oldest);
  }
}

/** A component of a URL without its escapes; as it is, if they are not valid. */
function unescaped(component: string): string {
  try {
    return decodeURIComponent(component);
  } catch {
    return component;
  }
}

import type { HeaderRules, SplitHeaders } from './headers.js';
import type { ParsedBody } from './body-cache.js';

type FetchArguments = Parameters<typeof globalThis.fetch>;

/** A request that is a turn, as far as it can be told without its body. */
export interface TurnOutline {
  url: URL;
  headers: SplitHeaders;
  signal: AbortSignal | undefined;
  /** Reads the body and leaves it readable; undefined where it is no text. */
  read: () => Promise<string | undefined> | string | undefined;
  /** The body will not be read again. */
  release: () => void;
}

/** A turn that was asked for. */
export interface TurnCall extends TurnOutline {
  body: ParsedBody;
  /** The body as it came. */
  text: string;
  /** Whether it is to be answered by an event stream, or by one JSON text. */
  streams: boolean;
}

/**
 * What a call of `fetch` asks for, if it is a turn: POST, to a path that ends in `/responses`, with a JSON body. undefined for everything else,
 * also for what is wrong in itself: the ordinary fetch says it best. Takes nothing away from the arguments.
 */
export function matchTurn([input, init]: FetchArguments, rules: HeaderRules): TurnOutline | undefined {
  const request = input instanceof Request ? input : undefined;
  const { method = request?.method ?? 'GET' } = init ?? {};
  if (method.toUpperCase() !== 'POST') return undefined;
  const url = urlOf(request?.url ?? (input as string | URL));
  if (url === undefined || !url.pathname.endsWith('/responses') || url.username !== '' || url.password !== '')
    return undefined;
  // A way through the network that the caller chose for this request (K4).
  if (init !== undefined && 'dispatcher' in init && init.dispatcher !== undefined) return undefined;
  const signal = init?.signal === undefined ? request?.signal : (init.signal ?? undefined);
  if (signal !== undefined && !(signal instanceof AbortSignal)) return undefined;
  const all = headersOf(init?.headers ?? request?.headers);
  const headers = all && isJson(all) ? rules.split(all) : undefined;
  const body = init?.body ?? undefined;
  const read = body === undefined ? readerOfRequest(request) : readerOf(body);
  if (headers === undefined || read === undefined) return undefined;
  // Where the fetch has read the body of a Request, that is used up.
  const release = (): void => void (body === undefined && request?.body?.cancel().catch(() => {}));
  return { url, headers, signal, read, release };
}

/** The turn, if the body is one: a JSON object, and none that is to run in the background (P37). */
export function parseTurn(outline: TurnOutline, text: string, body: ParsedBody | undefined): TurnCall | undefined {
  if (body === undefined) return undefined;
  const { background, stream } = body.params;
  if (background !== undefined && background !== null && background !== false) return undefined;
  return { ...outline, body, text, streams: stream === true };
}

function urlOf(input: string | URL): URL | undefined {
  try {
    const url = new URL(input);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url : undefined;
  } catch {
    return undefined;
  }
}

function headersOf(given: RequestInit['headers']): Headers | undefined {
  try {
    return new Headers(given);
  } catch {
    return undefined;
  }
}

function isJson(headers: Headers): boolean {
  return /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(headers.get('content-type') ?? '');
}

/** Of a body that can be read any number of times. A stream is not one. */
function readerOf(body: unknown): TurnOutline['read'] | undefined {
  if (typeof body === 'string') return () => body;
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return () => decode(body);
  if (body instanceof Blob) return () => body.text();
  return undefined;
}

function readerOfRequest(request: Request | undefined): TurnOutline['read'] | undefined {
  if (request === undefined || request.body === null || request.bodyUsed) return undefined;
  return () => request.clone().text();
}

function decode(bytes: ArrayBuffer | ArrayBufferView): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes as ArrayBuffer);
  } catch {
    return undefined;
  }
}

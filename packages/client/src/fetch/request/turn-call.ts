import type { HeaderRules, SplitHeaders } from './headers.js';
import type { ParsedBody } from './body-cache.js';

type FetchArguments = Parameters<typeof globalThis.fetch>;

/** A request that looks like a turn, before its body is read. */
export interface TurnCandidate {
  url: URL;
  headers: SplitHeaders;
  signal: AbortSignal | undefined;
  /** Reads the body, which stays readable; undefined for a body that is no text. */
  read: () => Promise<string | undefined> | string | undefined;
  /** Called when the body will not be read again. */
  release: () => void;
}

/** A request that is a turn. */
export interface TurnCall extends TurnCandidate {
  body: ParsedBody;
  /** The text of the body. */
  text: string;
  /** Whether the caller wants an event stream, or one JSON text. */
  streams: boolean;
}

/**
 * The turn of a call of `fetch`: a POST with a JSON body to a path that ends in `/responses`. undefined for everything else, invalid calls included, which the
 * ordinary fetch reports best. The arguments are not consumed.
 */
export function matchTurn([input, init]: FetchArguments, rules: HeaderRules): TurnCandidate | undefined {
  const request = input instanceof Request ? input : undefined;
  const { method = request?.method ?? 'GET' } = init ?? {};
  if (method.toUpperCase() !== 'POST') return undefined;
  const url = urlOf(request?.url ?? (input as string | URL));
  if (url === undefined || !url.pathname.endsWith('/responses') || url.username !== '' || url.password !== '')
    return undefined;
  // The caller has chosen another way through the network for this request (K4).
  if (init !== undefined && 'dispatcher' in init && init.dispatcher !== undefined) return undefined;
  const signal = init?.signal === undefined ? request?.signal : (init.signal ?? undefined);
  if (signal !== undefined && !(signal instanceof AbortSignal)) return undefined;
  const all = headersOf(init?.headers ?? request?.headers);
  const headers = all && hasJsonType(all) ? rules.split(all) : undefined;
  const body = init?.body ?? undefined;
  const read = body === undefined ? readerOfRequest(request) : readerOf(body);
  if (headers === undefined || read === undefined) return undefined;
  // An ordinary fetch would have used up the body of the Request.
  const release = (): void => void (body === undefined && request?.body?.cancel().catch(() => {}));
  return { url, headers, signal, read, release };
}

/** The turn, if the body is a JSON object and not for a background response (P37). */
export function parseTurn(outline: TurnCandidate, text: string, body: ParsedBody | undefined): TurnCall | undefined {
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

function hasJsonType(headers: Headers): boolean {
  return /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(headers.get('content-type') ?? '');
}

/** Reads a body that can be read several times; undefined for a stream. */
function readerOf(body: unknown): TurnCandidate['read'] | undefined {
  if (typeof body === 'string') return () => body;
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return () => decode(body);
  if (body instanceof Blob) return () => body.text();
  return undefined;
}

function readerOfRequest(request: Request | undefined): TurnCandidate['read'] | undefined {
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

/** The head of a response in HTTP/1.1. */
export interface ResponseHead {
  status: number;
  /** Names in lower case; repeated headers are joined by commas. */
  headers: Record<string, string>;
  /** The connection stays open for the next request, by the version and the `connection` header. */
  persistent: boolean;
}

/** Parses a head without the empty line at its end; undefined if it is not HTTP. A line that is no header is skipped. */
export function parseResponseHead(text: string): ResponseHead | undefined {
  const [first = '', ...lines] = text.split('\r\n');
  const [, minor, status] = /^HTTP\/1\.([01]) (\d{3})(?: .*)?$/.exec(first) ?? [];
  if (status === undefined) return undefined;
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    if (!/^[^\s:]+$/.test(name)) continue;
    const value = line.slice(colon + 1).trim();
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]}, ${value}` : value;
  }
  const persistent = minor === '1' && !/(?:^|,)\s*close\s*(?:,|$)/i.test(headers['connection'] ?? '');
  return { status: Number(status), headers, persistent };
}

/** A request without its body, with the empty line at its end. The one place that writes an HTTP head. */
export function encodeRequestHead(method: string, target: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** What a request to an origin server names as its target (RFC 9112, 3.2.1). */
export function originForm({ pathname, search }: URL): string {
  return `${pathname}${search}`;
}

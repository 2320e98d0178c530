/** How an answer in HTTP/1.1 begins. */
export interface ResponseHead {
  status: number;
  /** Names in lower case; what is given more than once is joined by commas. */
  headers: Record<string, string>;
  /** By its version and its `connection` header, the connection stays for the next request. */
  persistent: boolean;
}

/** A head without the empty line at its end; undefined for what is no HTTP. A line that is no header is skipped. */
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

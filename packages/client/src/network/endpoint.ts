import { TurnwireError } from '../protocol/errors/errors.js';

/** The address of the API, for both transports. */
export interface Endpoint {
  /** `https://host[:port]`, for messages and logs: no path, no query, no user info. Behind a relay, that of the provider. */
  origin: string;
  host: string;
  port: number;
  secure: boolean;
  /** The address of both transports: a WebSocket begins as a GET at the address of the POSTs (P1). */
  url: URL;
}

/** @throws TurnwireError `invalid_option` unless `baseUrl` is an http(s) address. */
export function endpointOf(baseUrl: string, name: string): Endpoint {
  const url = parseUrl(baseUrl, name);
  const secure = url.protocol === 'https:';
  // A query is kept: some gateways carry their version in it.
  const path = url.pathname.replace(/\/+$/, '');
  url.pathname = path.endsWith('/responses') ? path : `${path}/responses`;
  url.hash = '';
  const port = Number(url.port || (secure ? 443 : 80));
  return { origin: url.origin, host: url.hostname, port, secure, url };
}

function parseUrl(baseUrl: string, name: string): URL {
  const example = 'for example https://api.openai.com/v1';
  let url: URL;
  try {
    url = new URL(baseUrl);
  } catch {
    const guess = /^[\w.-]+(:\d+)?(\/|$)/.test(baseUrl) ? `; did you mean "https://${baseUrl}"?` : '';
    throw new TurnwireError(
      'invalid_option',
      `${name} is not an address${guess || `: give one with its scheme, ${example}`}`,
    );
  }
  if (url.protocol === 'ws:' || url.protocol === 'wss:') {
    const scheme = url.protocol === 'wss:' ? 'https' : 'http';
    throw new TurnwireError(
      'invalid_option',
      `${name} must begin with ${scheme}: and not ${url.protocol} (the transport makes the WebSocket address itself)`,
    );
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new TurnwireError('invalid_option', `${name} must begin with https: or http:, ${example}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new TurnwireError(
      'invalid_option',
      `${name} must not hold a user name or a password: give the key as apiKey`,
    );
  }
  return url;
}

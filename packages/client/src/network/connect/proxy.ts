import { TurnwireError } from '../../protocol/errors/errors.js';
import { bareHost, isLoopback } from './loopback.js';
import { isExempt } from './no-proxy.js';
import type { Endpoint } from '../endpoint.js';

/** An HTTP proxy that opens tunnels, reached with or without TLS. */
export interface Proxy {
  /** `http://host:port`, for messages and logs: without credentials. */
  origin: string;
  host: string;
  port: number;
  /** The proxy itself is reached over TLS. */
  secure: boolean;
  /** The value of Proxy-Authorization, sent to the proxy alone (A11). */
  authorization: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy of an endpoint, for both transports (A10); undefined for none.
 *
 * `network.proxy` decides alone if it is given. Otherwise the environment decides, except for addresses of this machine: `localhost` would be the proxy
 * itself.
 *
 * @throws TurnwireError `invalid_option` for a proxy that cannot be used. A proxy is never bypassed.
 */
export function chooseProxy(
  endpoint: Endpoint,
  option: string | false | undefined,
  env: Environment,
): Proxy | undefined {
  if (option === false) return undefined;
  if (option !== undefined) return parseProxy(option, 'network.proxy');
  if (isLoopback(endpoint.host)) return undefined;
  const [, exempt = ''] = firstOf(['no_proxy', 'NO_PROXY'], env) ?? [];
  if (isExempt(endpoint, exempt)) return undefined;
  const [name, value] = firstOf(variables(endpoint.secure, env), env) ?? [];
  return name === undefined || value === undefined ? undefined : parseProxy(value, name);
}

/** The variables of the environment in order: lower case first, as in curl. */
function variables(secure: boolean, env: Environment): string[] {
  const own = secure ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy', 'HTTP_PROXY'];
  // In a CGI program HTTP_PROXY is a header of the request (CVE-2016-5385).
  const trusted = env['REQUEST_METHOD'] === undefined ? own : own.filter((name) => name !== 'HTTP_PROXY');
  return [...trusted, 'all_proxy', 'ALL_PROXY'];
}

function firstOf(names: readonly string[], env: Environment): [name: string, value: string] | undefined {
  for (const name of names) {
    const value = env[name]?.trim();
    if (value !== undefined && value !== '') return [name, value];
  }
  return undefined;
}

/** The messages never contain the value, which may hold a password (N1). */
function parseProxy(text: string, name: string): Proxy {
  const example = 'give one as http://host:port or https://host:port';
  const wrong = (what: string): TurnwireError => new TurnwireError('invalid_option', `${name} ${what}`);
  // The URL parser would drop line breaks without an error.
  // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
  if (/[\u0000-\u0020\u007f]/.test(text)) throw wrong('contains white space or control characters');
  if (text === '') throw wrong(`is empty: ${example}, or false for none`);
  let url: URL;
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  } catch {
    throw wrong(`is no address of a proxy: ${example}`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw wrong(
      `names a ${url.protocol.slice(0, -1)} proxy, which is not supported: ${example}, or network.proxy: false for none`,
    );
  const secure = url.protocol === 'https:';
  return {
    origin: url.origin,
    host: bareHost(url.hostname),
    port: Number(url.port || (secure ? 443 : 80)),
    secure,
    authorization: credentials(url, wrong),
  };
}

function credentials(url: URL, wrong: (what: string) => TurnwireError): string | undefined {
  if (url.username === '' && url.password === '') return undefined;
  let pair: string;
  try {
    pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  } catch {
    throw wrong('has a user name or a password that is not written as in a URL: a percent sign is %25');
  }
  // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
  if (/[\u0000-\u001f\u007f]/.test(pair)) throw wrong('has a user name or a password with control characters');
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

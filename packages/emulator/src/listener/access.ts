import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { Refusal } from '../wire/refusal.js';
import type { AccessOptions } from './options.js';
import { canonicalHost, isLoopback, isWildcard } from './host.js';

const isHostName = (name: string): boolean => /^(\*|[\w.-]+)$/.test(name) || isIPv6(name.replace(/^\[(.*)\]$/, '$1'));
const isOrigin = (origin: string): boolean => /^(\*|null|[a-z][a-z\d+.-]*:\/\/[^\s*/?#]+\/?)$/i.test(origin);

/** The schema of `AccessOptions`. An entry that no request can ever match is refused. */
export const accessFields = {
  allowedHosts: z
    .array(
      z.string().refine(isHostName, 'expected a host name without a scheme and a port, such as "emulator", or "*"'),
    )
    .optional(),
  allowedOrigins: z
    .array(z.string().refine(isOrigin, 'expected an origin, such as "http://localhost:5173", or "*"'))
    .optional(),
};

/**
 * Keeps web pages out. A browser lets any page open a WebSocket to a port of this machine, and send a POST to it, so the server has to
 * refuse (RFC 6455 §10.2). The header `Origin` names the page. The header `Host` reveals DNS rebinding: a page whose own name was pointed at
 * this machine after the page was loaded sends no foreign origin.
 */
export class Access {
  readonly #host: string;
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  /** The header `Host` that was allowed last, with the address that it reached. Nearly all requests of a client have the same. */
  #lastAllowed: { readonly host: string; readonly localAddress: string | undefined } | undefined;

  /** `host` is the address on which the server listens. */
  constructor(host: string, { allowedHosts = [], allowedOrigins = [] }: AccessOptions) {
    this.#host = canonicalHost(host);
    this.#hosts = new Set(allowedHosts.map((name) => (name === '*' ? name : canonicalHost(name))));
    this.#origins = new Set(allowedOrigins.map(canonicalOrigin));
  }

  /** The refusal of a request with a foreign origin or host name; undefined if the request may pass. */
  refusal({ headers, socket }: IncomingMessage): Refusal | undefined {
    const { host, origin } = headers;
    if (origin !== undefined && !this.#allows(this.#origins, canonicalOrigin(origin))) {
      return forbidden(`Pages of the origin ${quoted(origin)} may not use this server; allow it with allowedOrigins.`);
    }
    if (this.#servesHost(host ?? '', socket.localAddress)) return undefined;
    return forbidden(`This server is not asked for as ${quoted(host ?? '')}; allow the name with allowedHosts.`);
  }

  /** The CORS headers that let the page of an allowed origin read an answer; none for any other request. */
  headers({ headers }: IncomingMessage): Readonly<Record<string, string>> {
    const { origin } = headers;
    if (origin === undefined || !this.#allows(this.#origins, canonicalOrigin(origin))) return {};
    return { 'access-control-allow-origin': origin, 'access-control-expose-headers': '*', vary: 'origin' };
  }

  #servesHost(host: string, localAddress: string | undefined): boolean {
    const last = this.#lastAllowed;
    if (last !== undefined && last.host === host && last.localAddress === localAddress) return true;
    const name = hostnameOf(host);
    if (name === undefined || !this.#serves(name, localAddress)) return false;
    this.#lastAllowed = { host, localAddress };
    return true;
  }

  #serves(name: string, localAddress: string | undefined): boolean {
    if (isLoopback(name) || name === this.#host || this.#allows(this.#hosts, name)) return true;
    // A server that listens on all addresses accepts as a name the address that the request has reached.
    return isWildcard(this.#host) && name === canonicalHost(localAddress?.replace(/^::ffff:(?=.*\.)/, '') ?? '');
  }

  #allows(list: ReadonlySet<string>, value: string): boolean {
    return list.has('*') || list.has(value);
  }
}

const preflightHeaders = {
  'access-control-allow-methods': 'GET, POST, PUT, DELETE',
  'access-control-allow-headers': '*, authorization',
  'access-control-max-age': '600',
};

/** Answers a request that may not pass, before its body is read, and the preflight of one that may. Returns true if it has answered. */
export function guard(access: Access, request: IncomingMessage, response: ServerResponse): boolean {
  const refusal = access.refusal(request);
  if (refusal !== undefined) {
    response.writeHead(refusal.status, { 'content-type': 'application/json', connection: 'close' }).end(refusal.body());
    return true;
  }
  const headers = access.headers(request);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const isPreflight = request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
  if (!isPreflight || headers['vary'] === undefined) return false;
  response.writeHead(204, preflightHeaders).end();
  return true;
}

/** The name or address in a `Host` header, without its port, in the form of `canonicalHost`; undefined if the header is not valid. */
function hostnameOf(host: string): string | undefined {
  const match = /^(\[[\da-f:.]+\]|[\w.-]+)(:\d+)?$/i.exec(host);
  return match?.[1] === undefined ? undefined : canonicalHost(match[1]);
}

/** An origin in small letters, without a last slash and the port that its scheme has by default, as browsers send it. */
function canonicalOrigin(origin: string): string {
  if (/^https?:/i.test(origin) && URL.canParse(origin)) return new URL(origin).origin;
  return origin.toLowerCase().replace(/\/$/, '');
}

function forbidden(message: string): Refusal {
  return new Refusal(message, { status: 403, code: 'forbidden' });
}

function quoted(value: string): string {
  return JSON.stringify(value.slice(0, 200));
}

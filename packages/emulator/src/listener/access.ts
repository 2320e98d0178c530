import type { IncomingMessage, ServerResponse } from 'node:http';
import { Refusal } from '../wire/refusal.js';

/** Who may reach a server on this machine, besides programs on it. */
export interface AccessOptions {
  /**
   * Names under which the server may be asked for, beside those of the loopback interface and the address it listens on: `emulator`
   * for the service of a compose file, say. Without a port; `*` allows any. @default none
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /**
   * Origins whose web pages may use the server, such as `http://localhost:5173`; `*` allows any page in any browser on this machine.
   * @default none: programs send no `Origin`
   */
  readonly allowedOrigins?: readonly string[] | undefined;
}

const wildcards: ReadonlySet<string> = new Set(['0.0.0.0', '::', '[::]']);

/**
 * Keeps web pages out. A browser lets any page open a WebSocket to a port of this machine, and post to it; the server has to refuse
 * (RFC 6455 §10.2). `Origin` tells whose page it is. `Host` tells a name that was pointed at this machine after its page had been
 * loaded (DNS rebinding), whose requests carry no foreign origin.
 */
export class Access {
  readonly #host: string;
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;

  /** `host` is the address that the server listens on. */
  constructor(host: string, { allowedHosts = [], allowedOrigins = [] }: AccessOptions) {
    this.#host = host.toLowerCase();
    this.#hosts = new Set(allowedHosts.map((name) => name.toLowerCase()));
    this.#origins = new Set(allowedOrigins.map((origin) => origin.toLowerCase().replace(/\/$/, '')));
  }

  /** The refusal of a request that a foreign page or name stands behind; undefined if it may pass. */
  refusal({ headers, socket }: IncomingMessage): Refusal | undefined {
    const { host, origin } = headers;
    if (origin !== undefined && !this.#allows(this.#origins, origin.toLowerCase())) {
      return forbidden(`Pages of the origin ${shown(origin)} may not use this server; allow it with allowedOrigins.`);
    }
    const name = hostnameOf(host ?? '');
    if (name !== undefined && this.#serves(name, socket.localAddress)) return undefined;
    return forbidden(`This server is not asked for as ${shown(host ?? '')}; allow the name with allowedHosts.`);
  }

  /** The headers that let the page of an allowed origin read an answer; none for any other request. */
  headers({ headers }: IncomingMessage): Readonly<Record<string, string>> {
    const { origin } = headers;
    if (origin === undefined || !this.#allows(this.#origins, origin.toLowerCase())) return {};
    return { 'access-control-allow-origin': origin, 'access-control-expose-headers': '*', vary: 'origin' };
  }

  #serves(name: string, localAddress: string | undefined): boolean {
    if (isLoopback(name) || name === unbracketed(this.#host) || this.#allows(this.#hosts, name)) return true;
    // All addresses of this machine are given then, and the one that was reached is the socket's.
    return wildcards.has(this.#host) && name === localAddress?.replace(/^::ffff:/, '');
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

/** Refuses a request that may not pass, before anything of it is read, and answers the preflight of one that may. True if it did. */
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

/** True for an address at which others than this machine's own programs reach a server. */
export function isPublicAddress(host: string): boolean {
  return !isLoopback(unbracketed(host.toLowerCase()));
}

/** An address at which this machine reaches a server that listens on `host`. */
export function reachableHost(host: string): string {
  if (wildcards.has(host)) return host === '0.0.0.0' ? '127.0.0.1' : '[::1]';
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name);
}

/** The name or address of a `Host` header, without its port and brackets; undefined if it is none. */
function hostnameOf(host: string): string | undefined {
  const match = /^(\[[\da-f:.]+\]|[\w.-]+)(:\d+)?$/i.exec(host);
  return match?.[1] === undefined ? undefined : unbracketed(match[1].toLowerCase()).replace(/\.$/, '');
}

function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

function forbidden(message: string): Refusal {
  return new Refusal(message, { status: 403, code: 'forbidden' });
}

function shown(value: string): string {
  return JSON.stringify(value.slice(0, 200));
}

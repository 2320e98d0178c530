import { isLoopback, unbracketed } from '../../base/loopback.js';
import { Refusal } from '../../base/refusal.js';
import type { IncomingMessage } from 'node:http';
import type { AdminConfig, Config } from '../../config/schema.js';

/** The host names and origins that requests may carry. "*" stands for any. */
interface Allowed {
  /** The address of the listener. */
  host: string;
  /** True where the listener serves pages itself: a request whose origin is the name in `Host` comes from such a page. */
  ownPages: boolean;
  hosts: readonly string[];
  origins: readonly string[];
}

const wildcards: ReadonlySet<string> = new Set(['0.0.0.0', '::', '[::]']);

/**
 * Keeps out web pages. A browser lets any page open a WebSocket to a port of this machine, and post to it: `Origin` names the site of that page. `Host` shows
 * a name that was pointed at this machine after its page had been loaded (DNS rebinding).
 */
export class Access {
  readonly #host: string;
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  readonly #ownPages: boolean;
  readonly #remedies: { origin: string; host: string };

  /** @param remedies the last words of a refusal: what to do about it. */
  constructor({ host, hosts, origins, ownPages }: Allowed, remedies: { origin: string; host: string }) {
    this.#host = unbracketed(host.toLowerCase());
    this.#hosts = new Set(hosts.map((name) => name.toLowerCase()));
    this.#origins = new Set(origins.map((origin) => origin.toLowerCase().replace(/\/$/, '')));
    this.#ownPages = ownPages;
    this.#remedies = remedies;
  }

  /** The rules of the listener for clients. */
  static forClients({ host, allowed_hosts: hosts, allowed_origins: origins }: Config['listen']): Access {
    return new Access(
      { host, hosts, origins, ownPages: false },
      {
        origin: 'allow it with listen.allowed_origins (--allow-origin)',
        host: 'allow the name with listen.allowed_hosts (--allow-host)',
      },
    );
  }

  /** The rules of the listener for the admin page, which no other page may read. */
  static forAdmin({ host, allowed_hosts: hosts }: AdminConfig): Access {
    return new Access(
      { host, hosts, origins: [], ownPages: true },
      { origin: 'its page alone may', host: 'allow the name with admin.allowed_hosts' },
    );
  }

  /** @throws Refusal (403) for a request from a web page or under a host name that is not allowed. */
  check({ headers, socket }: IncomingMessage): void {
    const { host = '', origin } = headers;
    const isOwn = this.#ownPages && origin !== undefined && /^https?:\/\/(.*)$/.exec(origin)?.[1] === host;
    if (origin !== undefined && !isOwn && !allows(this.#origins, origin.toLowerCase()))
      throw forbidden(`pages of the origin ${shown(origin)} may not use this gateway; ${this.#remedies.origin}`);
    const name = hostnameOf(host);
    if (name === undefined || !this.#serves(name, socket.localAddress))
      throw forbidden(`this gateway is not asked for as ${shown(host)}; ${this.#remedies.host}`);
  }

  /** Headers that let the page of an allowed origin read an answer; none for any other request. */
  headers({ headers: { origin } }: IncomingMessage): Readonly<Record<string, string>> {
    if (origin === undefined || !allows(this.#origins, origin.toLowerCase())) return {};
    return { 'access-control-allow-origin': origin, 'access-control-expose-headers': '*', vary: 'origin' };
  }

  #serves(name: string, localAddress: string | undefined): boolean {
    if (isLoopback(name) || name === this.#host || allows(this.#hosts, name)) return true;
    // A wildcard listens on all addresses of this machine; `localAddress` is the one that this client has reached.
    return wildcards.has(this.#host) && name === localAddress?.replace(/^::ffff:/, '');
  }
}

/** The answer to the preflight of a request from an allowed page. */
export const preflight = {
  'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
  'access-control-allow-headers': '*, authorization',
  'access-control-max-age': '600',
};

function allows(list: ReadonlySet<string>, value: string): boolean {
  return list.has('*') || list.has(value);
}

/** The name or address of a `Host` header, without its port and brackets; undefined where it has neither. */
function hostnameOf(host: string): string | undefined {
  const match = /^(\[[\da-f:.]+\]|[\w.-]+)(:\d+)?$/i.exec(host);
  return match?.[1] === undefined ? undefined : unbracketed(match[1].toLowerCase()).replace(/\.$/, '');
}

function forbidden(message: string): Refusal {
  return new Refusal(message, { status: 403, code: 'forbidden' });
}

function shown(value: string): string {
  return JSON.stringify(value.slice(0, 200));
}

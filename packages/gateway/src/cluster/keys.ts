import { createHmac, createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Principal } from '../upstream/principal.js';

/** The first part of every key: another layout of what is shared has another one, so that two versions of the gateway can share one Redis. */
const version = 't1';

/** How long entries are kept; in milliseconds. */
export const lifetimes = {
  /** An upstream keeps a response for 30 days. */
  id: 30 * 24 * 3_600_000,
  context: 24 * 3_600_000,
  /** Longer than any socket of an upstream lives. */
  lease: 70 * 60_000,
  /** A node that was not heard of for so long is gone. */
  session: 6000,
  /** Longer than a minute, after which an account is full again. */
  account: 120_000,
} as const;

/** So much of a hash that nobody finds two that are the same: 144 bits. */
const macLength = 24;

/** Tenants whose names are remembered; another one's are computed anew. */
const mostTenants = 1000;

/** What keys of one tenant have in common, so that a sharded store can hold them together. */
const tagLength = 8;

/**
 * The names of what is shared. Everything stands under a hash that is keyed with the deployment's secret: who reads Redis learns neither who asks nor what,
 * and one tenant's entries cannot be found by another.
 */
export class Keys {
  readonly #secret: KeyObject;
  /** The tenants of the last turns, the oldest first: to compute a tenant's name takes an HMAC. */
  readonly #tenants = new Map<string, Tenant>();

  constructor(secret: string) {
    this.#secret = createSecretKey(secret, 'utf8');
  }

  /** Who owns an id. */
  owner(id: string): string {
    return `${version}:o:${this.mac('id', id)}`;
  }

  /** What stands for a principal as an owner. */
  principal(id: string): string {
    return this.mac('principal', id);
  }

  node(session: string): string {
    return `${version}:n:${session}`;
  }

  /** An address as it is shared: sealed, since keys of clients are sent to it. */
  sealed(session: string, address: string): string {
    return `${this.mac('address', `${session} ${address}`)} ${address}`;
  }

  /** undefined for what no node of this deployment has written. */
  unsealed(session: string, shared: string): string | undefined {
    const address = shared.slice(shared.indexOf(' ') + 1);
    return shared === this.sealed(session, address) ? address : undefined;
  }

  /** Requests and tokens of a principal. */
  account(principal: string): string {
    return `${version}:a:${this.mac('account', principal)}`;
  }

  /** Waits that the upstream has asked for. */
  readonly backoffs = `${version}:w`;

  /** Shows another node that a request comes from a gateway of this deployment, and is for that node. */
  relayed(session: string): string {
    return this.mac('relayed', session);
  }

  tenant({ id, identity }: Pick<Principal, 'id' | 'identity'>, upstream: string): Tenant {
    const text = JSON.stringify([upstream, id, identity]);
    const known = this.#tenants.get(text);
    if (known !== undefined) return known;
    const made = new Tenant(version, this.mac('tenant', text), (entry) => this.mac('entry', entry));
    this.#tenants.set(text, made);
    const [oldest] = this.#tenants.keys();
    if (this.#tenants.size > mostTenants && oldest !== undefined) this.#tenants.delete(oldest);
    return made;
  }

  mac(purpose: string, text: string): string {
    return createHmac('sha256', this.#secret).update(`${purpose}\0${text}`).digest('base64url').slice(0, macLength);
  }
}

/** One principal as one upstream knows it: what it has made is worth something to nobody else. */
export class Tenant {
  /** What all keys of the tenant begin with. */
  readonly prefix: string;
  readonly #name: string;
  readonly #mac: (text: string) => string;

  constructor(version: string, name: string, mac: (text: string) => string) {
    this.prefix = `${version}:{${name.slice(0, tagLength)}}`;
    this.#name = name;
    this.#mac = mac;
  }

  context(digest: string): string {
    return `${this.prefix}c${this.#mac(`${this.#name} context ${digest}`)}`;
  }

  /** What stands for a response that is bound to a socket. */
  response(id: string): string {
    return this.#mac(`${this.#name} response ${id}`);
  }
}

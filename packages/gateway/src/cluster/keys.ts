import { createHmac, createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Principal } from '../upstream/principal.js';

/** The first part of every key. A change of the layout changes it, so that two versions of the gateway can share one Redis. */
const version = 't1';

/** How long entries are kept, in milliseconds. */
export const lifetimes = {
  /** An upstream keeps a response for 30 days. */
  id: 30 * 24 * 3_600_000,
  context: 24 * 3_600_000,
  /** Longer than any socket of an upstream lives. */
  lease: 70 * 60_000,
  /** A node whose last heartbeat is older than this is gone. */
  session: 6000,
  /** Longer than a minute, after which an account is full again. */
  account: 120_000,
} as const;

/** The length of a hash in characters: 144 bits, so that two equal hashes never occur in practice. */
const macLength = 24;

/** Tenants whose names are remembered; those of others are computed anew. */
const maxTenants = 1000;

/** The length of the part that all keys of a tenant share, so that a sharded store can keep them together. */
const tagLength = 8;

/**
 * The names of entries in Redis. Each is a hash that is keyed with the secret of the deployment: a reader of Redis does not learn which principals there are,
 * and one tenant cannot find another's entries.
 */
export class Keys {
  readonly #secret: KeyObject;
  /** The tenants of the last turns, oldest first. They are remembered because the name of a tenant takes an HMAC to compute. */
  readonly #tenants = new Map<string, Tenant>();

  constructor(secret: string) {
    this.#secret = createSecretKey(secret, 'utf8');
  }

  /** The key of the entry that names the owner of an id. */
  owner(id: string): string {
    return `${version}:o:${this.mac('id', id)}`;
  }

  /** The hash that stands for a principal as the owner of an id. */
  principal(id: string): string {
    return this.mac('principal', id);
  }

  node(session: string): string {
    return `${version}:n:${session}`;
  }

  /** The address of a node with a keyed hash of it: the keys of clients are sent to that address, so no other writer of Redis may change it. */
  signedAddress(session: string, address: string): string {
    return `${this.mac('address', `${session} ${address}`)} ${address}`;
  }

  /** The address out of an entry; undefined for one that no node of this deployment has written. */
  verifiedAddress(session: string, shared: string): string | undefined {
    const address = shared.slice(shared.indexOf(' ') + 1);
    return shared === this.signedAddress(session, address) ? address : undefined;
  }

  /** The key of a principal's account: its requests and its tokens. */
  account(principal: string): string {
    return `${version}:a:${this.mac('account', principal)}`;
  }

  /** The key of the waits that the upstream has asked for. */
  readonly backoffs = `${version}:w`;

  /** A proof, for the node of that session, that a request comes from a gateway of this deployment. */
  relayProof(session: string): string {
    return this.mac('relayed', session);
  }

  tenant({ id, identity }: Pick<Principal, 'id' | 'identity'>, upstream: string): Tenant {
    const text = JSON.stringify([upstream, id, identity]);
    const known = this.#tenants.get(text);
    if (known !== undefined) return known;
    const made = new Tenant(version, this.mac('tenant', text), (entry) => this.mac('entry', entry));
    this.#tenants.set(text, made);
    const [oldest] = this.#tenants.keys();
    if (this.#tenants.size > maxTenants && oldest !== undefined) this.#tenants.delete(oldest);
    return made;
  }

  mac(purpose: string, text: string): string {
    return createHmac('sha256', this.#secret).update(`${purpose}\0${text}`).digest('base64url').slice(0, macLength);
  }
}

/** One principal at one upstream. Chains and ids of one tenant are of no use to another. */
export class Tenant {
  /** The part with which all keys of the tenant begin. */
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

  /** The hash of a response's id, for responses that are bound to a socket. */
  response(id: string): string {
    return this.#mac(`${this.#name} response ${id}`);
  }
}

import { isIP } from 'node:net';
import { builtin } from '../../base/builtin.js';
import { isLoopbackAddress } from './loopback.js';
import type * as dns from 'node:dns';
import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';

/**
 * Makes the caller's lookup safe. It may answer with one address although Node asks for a list (A7), throw, or answer more than once. An answer without an
 * address fails at once: Node would wait for ever.
 */
export function safeLookup(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    let answered = false;
    const answer: typeof callback = (error, address, family) => {
      if (answered) return;
      answered = true;
      if (error !== null && error !== undefined) return callback(error, [], family);
      const given: unknown[] = Array.isArray(address) ? address : [{ address, family }];
      const found = given.map(addressOf).filter((one) => one !== undefined);
      const [first] = found;
      if (first === undefined) return callback(new NoAddressError(hostname), []);
      if (options.all === true) return callback(null, found);
      callback(null, first.address, first.family);
    };
    try {
      lookup(hostname, options, answer);
    } catch (error) {
      // Not in this tick: Node relies on that.
      process.nextTick(answer, error instanceof Error ? error : new Error(String(error)), []);
    }
  };
}

/** undefined for anything but an IP address. The family is taken from the address, and not from the caller. */
function addressOf(given: unknown): LookupAddress | undefined {
  const address: unknown =
    typeof given === 'string' ? given : (given as Partial<LookupAddress> | null | undefined)?.address;
  const family = typeof address === 'string' ? isIP(address) : 0;
  return typeof address === 'string' && family !== 0 ? { address, family } : undefined;
}

/** A lookup for `http:` to `localhost` and names below it: an address that is not of this machine is refused (N5, N20). */
export function loopbackLookup(lookup?: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    const find: LookupFunction = lookup ?? (builtin('node:dns') as typeof dns).lookup;
    find(hostname, options, (error, address, family) => {
      const all: LookupAddress[] = typeof address === 'string' ? [{ address, family: family ?? 0 }] : address;
      const other = error ? undefined : all.find(({ address }) => !isLoopbackAddress(address));
      if (other === undefined) return callback(error, address, family);
      callback(new NotLoopbackError(hostname, other.address), []);
    });
  };
}

/** The caller's lookup has found no address: the name does not exist. */
export class NoAddressError extends Error {
  constructor(hostname: string) {
    super(`network.lookup found no IP address for ${hostname}`);
  }
}

/** A loopback name resolves to another machine. Trying again does not help. */
export class NotLoopbackError extends Error {
  constructor(hostname: string, address: string) {
    super(`${hostname} is not this machine but ${address}, and nothing is encrypted: use https:`);
  }
}

import { lookup as lookupDns } from 'node:dns';
import { isIP } from 'node:net';
import { isLoopbackAddress } from './loopback.js';
import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';

/**
 * The caller's lookup, made safe: it may answer with one address where a list was asked for, as Node's own does not (its fallback between
 * IPv6 and IPv4 asks for lists, A7); it may throw instead of answering, and answer more than once. What is no address fails here and at once: Node
 * waits for ever on a list without one.
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
      // Not in this tick: a lookup answers later, and Node relies on it.
      process.nextTick(answer, error instanceof Error ? error : new Error(String(error)), []);
    }
  };
}

/** Undefined for what is no IP address. The address tells its family better than a caller does. */
function addressOf(given: unknown): LookupAddress | undefined {
  const address: unknown =
    typeof given === 'string' ? given : (given as Partial<LookupAddress> | null | undefined)?.address;
  const family = typeof address === 'string' ? isIP(address) : 0;
  return typeof address === 'string' && family !== 0 ? { address, family } : undefined;
}

/**
 * For plain text to `localhost` and the names below it: these are trusted by their name, so what they resolve to is held to it (N5, N20).
 */
export function loopbackLookup(lookup: LookupFunction = lookupDns): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, options, (error, address, family) => {
      const all: LookupAddress[] = typeof address === 'string' ? [{ address, family: family ?? 0 }] : address;
      const other = error ? undefined : all.find(({ address }) => !isLoopbackAddress(address));
      if (other === undefined) return callback(error, address, family);
      callback(new NotLoopbackError(hostname, other.address), []);
    });
  };
}

/** The caller's lookup has answered, and without an address: the same as a name that does not exist. */
export class NoAddressError extends Error {
  constructor(hostname: string) {
    super(`network.lookup found no IP address for ${hostname}`);
  }
}

/** Ours, and final: what a name resolves to is no trouble of the network. */
export class NotLoopbackError extends Error {
  constructor(hostname: string, address: string) {
    super(`${hostname} is not this machine but ${address}, and nothing is encrypted: use https:`);
  }
}

import { lookup as lookupDns } from 'node:dns';
import { isLoopbackAddress } from './loopback.js';
import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';

/**
 * The caller's lookup, made safe: it may answer with one address where a list was asked for, as Node's own does not (its fallback between
 * IPv6 and IPv4 asks for lists, A7); it may throw instead of answering, and answer more than once.
 */
export function safeLookup(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    let answered = false;
    const answer: typeof callback = (error, address, family) => {
      if (answered) return;
      answered = true;
      if (error !== null && error !== undefined) return callback(error, [], family);
      if (options.all === true && typeof address === 'string')
        return callback(null, [{ address, family: family ?? (address.includes(':') ? 6 : 4) }]);
      callback(null, address, family);
    };
    try {
      lookup(hostname, options, answer);
    } catch (error) {
      // Not in this tick: a lookup answers later, and Node relies on it.
      process.nextTick(answer, error instanceof Error ? error : new Error(String(error)), []);
    }
  };
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
      callback(new NotLoopback(hostname, other.address), []);
    });
  };
}

/** Ours, and final: what a name resolves to is no trouble of the network. */
export class NotLoopback extends Error {
  constructor(hostname: string, address: string) {
    super(`${hostname} is not this machine but ${address}, and nothing is encrypted: use https:`);
  }
}

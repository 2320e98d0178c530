import { isIPv6 } from 'node:net';

/** The addresses that stand for all addresses of a machine, in the form of `canonicalHost`, each with one at which this machine is reached. */
const wildcards: ReadonlyMap<string, string> = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '[::1]'],
  ['::ffff:0:0', '127.0.0.1'],
]);

/** True for an address that stands for all addresses of a machine. */
export function isWildcard(host: string): boolean {
  return wildcards.has(canonicalHost(host));
}

/** A host name or address in one spelling: in small letters, without brackets, a last dot and leading zeros. */
export function canonicalHost(host: string): string {
  const name = host.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  const url = `http://${isIPv6(name) ? `[${name}]` : name}`;
  if (!URL.canParse(url)) return name.toLowerCase();
  return new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');
}

/** True for a name or address, in the form of `canonicalHost`, that reaches the machine itself and no other. */
export function isLoopback(name: string): boolean {
  if (name === 'localhost' || name.endsWith('.localhost') || name === '::1') return true;
  return /^(127(\.\d{1,3}){3}|::ffff:7f[\da-f]{2}:[\da-f]{1,4})$/.test(name);
}

/** True for an address at which other machines can reach a server. */
export function isPublicAddress(host: string): boolean {
  return !isLoopback(canonicalHost(host));
}

/** An address at which this machine reaches a server that listens on `host`, as it stands in a URL. */
export function reachableHost(host: string): string {
  const name = canonicalHost(host);
  return wildcards.get(name) ?? (name.includes(':') ? `[${name}]` : name);
}

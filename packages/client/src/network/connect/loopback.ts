import { BlockList, isIP, isIPv6 } from 'node:net';

/**
 * Whether a host of a parsed URL is this machine: 127.0.0.0/8, ::1, their mapped forms, `localhost` and names below it (RFC 6761). The whole host is
 * compared: `127.0.0.1.example.com` is another machine (N5). The URL parser has turned decimal, octal and hexadecimal addresses into dotted ones. 0.0.0.0 is
 * no loopback address, although some systems connect it to themselves.
 */
export function isLoopback(host: string): boolean {
  const name = bareHost(host);
  return isIP(name) === 0 ? /^(.+\.)?localhost$/.test(name) : isLoopbackAddress(name);
}

export function isLoopbackAddress(address: string): boolean {
  return isIP(address) !== 0 && addresses.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

const addresses = new BlockList();
addresses.addSubnet('127.0.0.0', 8, 'ipv4');
addresses.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');
addresses.addAddress('::1', 'ipv6');

/** A host in lower case, without the brackets of IPv6 and the dot of the root, to be compared. */
export function bareHost(host: string): string {
  const name = host.startsWith('[') ? host.replace(/^\[|\]$/g, '') : host.replace(/\.$/, '');
  return name.toLowerCase();
}

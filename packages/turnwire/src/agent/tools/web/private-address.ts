import { BlockList, isIP, isIPv6 } from 'node:net';

/** Networks outside of the internet: this machine, private ones, link-local (metadata of clouds), multicast, reserved. */
const networks: readonly (readonly [address: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
  ['::', 127],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
];

const blocked = new BlockList();
for (const [address, prefix] of networks) blocked.addSubnet(address, prefix, isIPv6(address) ? 'ipv6' : 'ipv4');

/** True for an IP address that is not public, and for a text that is no address. */
export function isPrivateAddress(address: string): boolean {
  const version = isIP(address);
  // BlockList checks an IPv4-mapped IPv6 address as the IPv4 address that it is.
  return version === 0 || blocked.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

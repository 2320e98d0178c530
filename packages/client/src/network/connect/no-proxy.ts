import { BlockList, isIP, isIPv6 } from 'node:net';
import { bareHost } from './loopback.js';

/**
 * Whether a NO_PROXY list exempts a target. Entries are separated by commas or white space: `*` for every host; a name, for itself and all names below it,
 * with or without a dot or `*.` before it; an address; a range of addresses (`10.0.0.0/8`); each with or without a port.
 *
 * An entry of any other form exempts nothing. Names are not resolved, so a range never fits a name.
 */
export function isExempt(target: { host: string; port: number }, list: string): boolean {
  const host = bareHost(target.host);
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => fits(entry, host, target.port));
}

function fits(entry: string, host: string, port: number): boolean {
  if (entry === '*') return true;
  const { name, port: only } = split(entry);
  if (only !== undefined && only !== port) return false;
  if (isIP(host) !== 0) return fitsAddress(name, host);
  const domain = name.replace(/^\*?\./, '');
  return domain !== '' && (host === domain || host.endsWith(`.${domain}`));
}

/** `host:port`, `[IPv6]:port` or a host alone; an IPv6 address without brackets has no port. */
function split(entry: string): { name: string; port: number | undefined } {
  const [, host = entry, port] = isIPv6(entry.replace(/\/.*$/, '')) ? [] : (/^(.*?)(?::(\d+))?$/.exec(entry) ?? []);
  return { name: bareHost(host), port: port === undefined ? undefined : Number(port) };
}

function fitsAddress(range: string, host: string): boolean {
  const [address = '', bits] = range.split('/');
  if (isIP(address) === 0) return false;
  const list = new BlockList();
  const most = isIPv6(address) ? 128 : 32;
  const length = bits === undefined ? most : Number(bits);
  if (!Number.isInteger(length) || bits === '' || length < 0 || length > most) return false;
  list.addSubnet(address, length, familyOf(address));
  return list.check(host, familyOf(host));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}

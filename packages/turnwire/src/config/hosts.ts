import { BlockList, isIP } from 'node:net';

/** Hosts as an entry of `allowed_domains` or `blocked_domains` names them. */
export type Hosts =
  /** A name and all names below it; with `below`, those below it alone. */
  | { kind: 'name'; name: string; below: boolean }
  /** Names with wildcards. */
  | { kind: 'pattern'; pattern: RegExp }
  /** Addresses: one, or a range. */
  | { kind: 'addresses'; list: BlockList };

/** Reads an entry; undefined for one that can match no host. */
export function readHosts(entry: string): Hosts | undefined {
  const text = entry.trim().toLowerCase().replace(/\.$/, '');
  const [address = '', prefix] = text.replace(/^\[(.*)\]$/, '$1').split('/');
  if (isIP(address) !== 0) return addresses(address, prefix);
  const [, marked = '', name = ''] = /^(\*?\.)?(.*)$/.exec(text) ?? [];
  if (/^[a-z0-9_.*?-]+$/.test(name) && /[*?]/.test(name)) {
    const source = `${marked}${name}`.replaceAll('.', '\\.').replace(/\*+/g, '.*').replaceAll('?', '.');
    return { kind: 'pattern', pattern: new RegExp(`^${source}$`) };
  }
  if (/[/:@\s]/.test(name) || !URL.canParse(`http://${name}`)) return undefined;
  const { hostname } = new URL(`http://${name}`);
  if (isIP(hostname) !== 0) return addresses(hostname, undefined);
  return { kind: 'name', name: hostname, below: marked !== '' };
}

function addresses(address: string, prefix: string | undefined): Hosts | undefined {
  const version = isIP(address);
  const most = version === 6 ? 128 : 32;
  if (prefix !== undefined && (!/^\d{1,3}$/.test(prefix) || Number(prefix) > most)) return undefined;
  const list = new BlockList();
  list.addSubnet(address, prefix === undefined ? most : Number(prefix), version === 6 ? 'ipv6' : 'ipv4');
  return { kind: 'addresses', list };
}

/**
 * True where an entry is about a host, as it stands in an address. `strict` holds an entry for names below a name to just those; a list that blocks takes it
 * for the name itself, too.
 */
export function isAbout(hosts: Hosts, host: string, strict: boolean): boolean {
  const plain = host.toLowerCase().replace(/\.$/, '');
  if (hosts.kind === 'addresses') return hasAddress(hosts, plain.replace(/^\[|\]$/g, ''));
  if (hosts.kind === 'pattern') return hosts.pattern.test(plain);
  return plain.endsWith(`.${hosts.name}`) || (plain === hosts.name && !(strict && hosts.below));
}

/** True where an entry is about an address, such as one that a name leads to. */
export function hasAddress(hosts: Hosts, address: string): boolean {
  const version = isIP(address);
  // BlockList checks an IPv4-mapped IPv6 address as the IPv4 address that it is.
  return hosts.kind === 'addresses' && version !== 0 && hosts.list.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

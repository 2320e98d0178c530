type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The name of the environment variable that sets a proxy for an address, by the rules of curl; undefined if none does. The recorder cannot
 * use a proxy and must not bypass one, so it refuses such an address. In NO_PROXY it understands `*`, hosts and suffixes of hosts. Addresses
 * of this machine need no proxy.
 */
export function proxyVariable({ protocol, hostname }: URL, env: Environment): string | undefined {
  if (hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')) return undefined;
  const exempt = (env['no_proxy'] || env['NO_PROXY'] || '').split(/[\s,]+/).filter((entry) => entry !== '');
  const isExempt = (entry: string): boolean => {
    const host = entry.replace(/^\*?\./, '').toLowerCase();
    return entry === '*' || hostname === host || hostname.endsWith(`.${host}`);
  };
  if (exempt.some(isExempt)) return undefined;
  const scheme = protocol.slice(0, -1);
  const names = [`${scheme}_proxy`, `${scheme.toUpperCase()}_PROXY`, 'all_proxy', 'ALL_PROXY'];
  return names.find((name) => (env[name]?.trim() ?? '') !== '');
}

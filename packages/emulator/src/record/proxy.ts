type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The variable that names a proxy for this address, if one does; as curl reads them. The recorder cannot go by one, and must not go around one.
 * Of NO_PROXY it understands `*`, hosts and the ends of hosts; this machine's own addresses need no proxy.
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

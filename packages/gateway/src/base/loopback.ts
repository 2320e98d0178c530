/** True for host names and addresses of this machine alone. */
export function isLoopback(name: string): boolean {
  const bare = unbracketed(name.toLowerCase());
  return bare === 'localhost' || bare.endsWith('.localhost') || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare);
}

/** An IPv6 address without the brackets that it has in a URL. */
export function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

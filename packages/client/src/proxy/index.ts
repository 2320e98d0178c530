import { chooseProxy } from '../network/connect/proxy.js';

/** An HTTP proxy that opens tunnels (CONNECT). */
export interface ProxyAddress {
  /** `http://host:port` or `https://host:port`, without credentials: fit for logs. */
  url: string;
  /** What `Proxy-Authorization` holds; for the proxy alone. */
  authorization: string | undefined;
}

/**
 * The proxy that the environment names for an address, by the rules that hold for this client (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`,
 * `NO_PROXY`; never for this machine's own addresses); undefined where it is reached directly.
 *
 * @throws TurnwireError `invalid_option` for a proxy that cannot be used, so that it is never left out instead.
 */
export function proxyFor(
  address: string | URL,
  env: Readonly<Record<string, string | undefined>> = process.env,
): ProxyAddress | undefined {
  const url = new URL(address);
  const secure = url.protocol === 'https:';
  const proxy = chooseProxy(
    { origin: url.origin, host: url.hostname, port: Number(url.port || (secure ? 443 : 80)), secure, url },
    undefined,
    env,
  );
  return proxy && { url: proxy.origin, authorization: proxy.authorization };
}

import { proxyFor } from '@turnwire/client/proxy';
import { UsageError } from '../process/usage-error.js';
import type { Socket } from 'node:net';
import type { Io } from '../process/io.js';

/** The server under test. */
export interface Target {
  /** The base URL with its version, without a slash at its end. */
  baseUrl: URL;
  key: string | undefined;
  /** The key of another user of the same server. */
  secondKey: string | undefined;
  /** The longest wait for one answer. */
  timeoutMs: number;
  /** Opens each connection, TLS included. @default directly, as Node does */
  connect?: () => Promise<Socket>;
}

/** Which credential a request carries. */
export type Credential = 'own' | 'second' | 'none' | 'wrong';

/**
 * Reads the base URL that the user typed.
 *
 * @throws UsageError
 */
export function baseUrlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw new UsageError('the URL must be a base URL with its version, such as https://api.openai.com/v1');
  if (url.username !== '' || url.password !== '')
    throw new UsageError('the URL holds credentials: give the key with --key-from VARIABLE');
  const path = url.pathname.replace(/\/+$/, '');
  if (path.endsWith('/responses'))
    throw new UsageError('the URL is that of one endpoint: give the base URL, without "/responses" at its end');
  url.pathname = path;
  url.search = '';
  url.hash = '';
  return url;
}

/** Refuses to go through a proxy, whose changes would be taken for those of the server. @throws UsageError where the environment names one for this address */
export function refuseProxy(url: URL, env: Io['env']): void {
  const proxy = proxyFor(url, env);
  if (proxy !== undefined)
    throw new UsageError(
      `the environment names the proxy ${proxy.url} for ${url.host}: a check goes to the server itself, so add it to NO_PROXY, or run it elsewhere`,
    );
}

/** The address of a path below the base URL. */
export function addressOf({ baseUrl }: Target, path: string): URL {
  const url = new URL(baseUrl);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`;
  return url;
}

export function authorization(target: Target, credential: Credential): Readonly<Record<string, string>> {
  const key = {
    own: target.key,
    second: target.secondKey,
    none: undefined,
    wrong: 'sk-this-key-is-of-nobody',
  }[credential];
  return key === undefined ? {} : { authorization: `Bearer ${key}` };
}

export function secretsOf({ key, secondKey }: Target): readonly string[] {
  return [key, secondKey].filter((secret) => secret !== undefined);
}

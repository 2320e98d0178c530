import type { IncomingHttpHeaders } from 'node:http';

/**
 * Headers that identify the client. Of all that a client sends, only these and those of `identity_headers` reach an upgrade, and connections are kept apart
 * by them.
 */
const identityNames: readonly string[] = [
  'api-key',
  'authorization',
  'chatgpt-account-id',
  'openai-beta',
  'openai-organization',
  'openai-project',
  'x-api-key',
];

/**
 * Identity headers that choose the account which a request is charged to. Where the gateway uses a key of its own, a client may not set them: the
 * configuration does, with `upstream.headers`.
 */
export const accountNames: ReadonlySet<string> = new Set([
  'api-key',
  'authorization',
  'chatgpt-account-id',
  'openai-organization',
  'openai-project',
  'x-api-key',
]);

/** Headers of the connection, of the body's encoding, of proxies and of browsers: the gateway passes none of them on. */
const ownNames: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  'origin',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'referer',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-real-ip',
  'x-turnwire-relayed',
]);

export interface RequestHeaders {
  /** Identity headers by name, sorted: the same headers make the same identity. */
  identity: Record<string, string>;
  /** Headers of this request alone: sent when the turn goes as a POST, never in an upgrade. */
  request: Record<string, string>;
}

/** Decides for each header of a request whether it belongs to the identity, to the request, or to neither. */
export class HeaderRules {
  readonly #identity: ReadonlySet<string>;

  constructor(more: readonly string[]) {
    this.#identity = new Set([...identityNames, ...more.map((name) => name.toLowerCase())]);
  }

  split(headers: IncomingHttpHeaders): RequestHeaders {
    const connection = new Set((headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
    const split: RequestHeaders = { identity: {}, request: {} };
    for (const name of Object.keys(headers).sort()) {
      const value = headers[name];
      if (value === undefined || isOwn(name) || connection.has(name)) continue;
      const given = Array.isArray(value) ? value.join(', ') : value;
      const text = name === 'authorization' ? withUsualScheme(given) : given;
      split[this.#identity.has(name) ? 'identity' : 'request'][name] = text;
    }
    return split;
  }
}

/** The same credential with its scheme as it is usually written: `bearer` and `Bearer` are one scheme (RFC 9110 §11.1), and so one identity. */
function withUsualScheme(credential: string): string {
  return credential.replace(/^bearer +/i, 'Bearer ').replace(/^basic +/i, 'Basic ');
}

function isOwn(name: string): boolean {
  return ownNames.has(name) || name.startsWith('x-forwarded-') || name.startsWith('sec-');
}

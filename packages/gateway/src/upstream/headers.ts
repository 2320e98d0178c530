import type { IncomingHttpHeaders } from 'node:http';

/** Say who asks: of what a client sends, these alone and those of `identity_headers` reach an upgrade, and keep connections apart. */
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
 * Those of them that say whose money and whose data a request is about: not the client's to say where the gateway asks with a key of its own, whose
 * place in the upstream the configuration names (`upstream.headers`).
 */
export const accountNames: ReadonlySet<string> = new Set([
  'api-key',
  'authorization',
  'chatgpt-account-id',
  'openai-organization',
  'openai-project',
  'x-api-key',
]);

/** Of the connection, of the body's encoding, of proxies, or of browsers: they end here. */
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
  /** By name, sorted: the same headers make the same identity. */
  identity: Record<string, string>;
  /** Of this request alone: sent where it goes as a POST, never in an upgrade. */
  request: Record<string, string>;
}

/** Which part of a request each of its headers belongs to. */
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
      const text = Array.isArray(value) ? value.join(', ') : value;
      split[this.#identity.has(name) ? 'identity' : 'request'][name] = text;
    }
    return split;
  }
}

function isOwn(name: string): boolean {
  return ownNames.has(name) || name.startsWith('x-forwarded-') || name.startsWith('sec-');
}

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { EmulatorError } from '../base/errors.js';
import { proxyVariable } from './proxy.js';

/** Where the recorder serves one upstream: what stands before this in a path is replaced by the upstream's base. */
const basePath = '/v1';

/** Headers that belong to one connection, or that the relay sets itself. */
const unforwardedHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'host',
  // What is recorded must be readable; the upstream answers uncompressed then.
  'accept-encoding',
]);

/** A base URL behind a recorder. */
export class Upstream {
  /** Undefined where there is only one. */
  readonly name: string | undefined;
  /** Where the recorder serves it. */
  readonly path: string;
  readonly #base: URL;

  /** @throws EmulatorError if it is no base URL */
  constructor(url: string, name?: string) {
    this.name = name;
    this.path = name === undefined ? basePath : `/${encodeURIComponent(name)}${basePath}`;
    const base = URL.canParse(url) ? new URL(url) : undefined;
    if (base === undefined || (base.protocol !== 'http:' && base.protocol !== 'https:')) {
      throw invalid(`must be a base URL such as https://api.openai.com/v1, not ${JSON.stringify(url)}`);
    }
    if (base.username !== '' || base.password !== '') {
      throw invalid('must not hold a user or a password; let the client send its credentials');
    }
    if (base.search !== '' || base.hash !== '') throw invalid('must end with its path; let the client send the query');
    const variable = proxyVariable(base, process.env);
    if (variable !== undefined) {
      const message = `The recorder reaches ${base.host} directly, and ${variable} names a proxy for it; add the host to NO_PROXY if it can be reached so.`;
      throw new EmulatorError('invalid_option', message);
    }
    base.pathname = base.pathname.replace(/\/+$/, '');
    this.#base = base;
  }

  /** Written into the recording: it holds no secret. */
  get url(): string {
    return `${this.#base.origin}${this.#base.pathname.replace(/\/$/, '')}`;
  }

  /** Whether a request to the recorder is for this one; if it is the only one, each is. */
  serves(request: IncomingMessage): boolean {
    return this.name === undefined || pathOf(request).startsWith(`${this.path}/`);
  }

  /** The URL for a request to the recorder, and its path below the base. */
  target(request: IncomingMessage): { readonly url: URL; readonly path: string } {
    const url = new URL(this.#base);
    const asked = urlOf(request);
    const path = asked.pathname.startsWith(`${this.path}/`) ? asked.pathname.slice(this.path.length) : asked.pathname;
    url.pathname = `${url.pathname.replace(/\/$/, '')}${path}`;
    url.search = asked.search;
    return { url, path };
  }
}

/** How a line says for which upstream it was. */
export function upstreamField({ name }: Upstream): { upstream?: string } {
  return name === undefined ? {} : { upstream: name };
}

function urlOf(request: IncomingMessage): URL {
  return new URL(request.url ?? '/', 'http://recorder');
}

function pathOf(request: IncomingMessage): string {
  return urlOf(request).pathname;
}

/** @throws EmulatorError if one of them is no base URL, or there is none */
export function upstreamsOf(urls: string | Readonly<Record<string, string>>): readonly Upstream[] {
  if (typeof urls === 'string') return [new Upstream(urls)];
  const named = Object.entries(urls).map(([name, url]) => new Upstream(url, name));
  if (named.length === 0) throw invalid('must be a base URL, or several by their names; there is none');
  return named;
}

/** The headers that travel on as they are. */
export function forwardedHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const passed: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !unforwardedHeaders.has(name)) passed[name] = value;
  }
  return passed;
}

function invalid(why: string): EmulatorError {
  return new EmulatorError('invalid_option', `The recorder's upstream ${why}.`);
}

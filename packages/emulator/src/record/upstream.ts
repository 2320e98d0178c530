import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { EmulatorError } from '../base/errors.js';
import { proxyVariable } from './proxy.js';

/** The path at which the recorder serves an upstream, in place of the path of the upstream's base URL. */
const basePath = '/v1';

/** The headers that are not passed on, because they belong to one connection or are set by the relay. */
const unforwardedHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'host',
  // Without this header the upstream does not compress its answers.
  'accept-encoding',
]);

/** One upstream of a recorder: its base URL, and the path at which the recorder serves it. */
export class Upstream {
  /** The name of the upstream; undefined if the recorder has only one, without a name. */
  readonly name: string | undefined;
  /** The path of the address at which the recorder serves the upstream. */
  readonly path: string;
  readonly #base: URL;

  /** @throws EmulatorError if `url` is not a base URL, or if a proxy is set for it */
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

  /** The base URL as the recording names it. It has no credentials and no query. */
  get url(): string {
    return `${this.#base.origin}${this.#base.pathname.replace(/\/$/, '')}`;
  }

  /** Whether a request to the recorder is for this upstream. An upstream without a name serves all requests. */
  serves(request: IncomingMessage): boolean {
    return this.name === undefined || pathOf(request).startsWith(`${this.path}/`);
  }

  /** The URL to which a request to the recorder is passed on, and its path below the base URL. */
  target(request: IncomingMessage): { readonly url: URL; readonly path: string } {
    const url = new URL(this.#base);
    const requestUrl = urlOf(request);
    const path = requestUrl.pathname.startsWith(`${this.path}/`)
      ? requestUrl.pathname.slice(this.path.length)
      : requestUrl.pathname;
    url.pathname = `${url.pathname.replace(/\/$/, '')}${path}`;
    url.search = requestUrl.search;
    return { url, path };
  }
}

/** The field by which a line of the recording names its upstream. */
export function upstreamField({ name }: Upstream): { upstream?: string } {
  return name === undefined ? {} : { upstream: name };
}

function urlOf(request: IncomingMessage): URL {
  return new URL(request.url ?? '/', 'http://recorder');
}

function pathOf(request: IncomingMessage): string {
  return urlOf(request).pathname;
}

/** The upstreams of a recorder. @throws EmulatorError if a URL is not a base URL, or if there is none */
export function upstreamsOf(urls: string | Readonly<Record<string, string>>): readonly Upstream[] {
  if (typeof urls === 'string') return [new Upstream(urls)];
  const named = Object.entries(urls).map(([name, url]) => new Upstream(url, name));
  if (named.length === 0) throw invalid('must be a base URL, or several by their names; there is none');
  return named;
}

/** The headers that are passed on unchanged. */
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

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { EmulatorError } from '../errors.js';

/** Where the recorder serves: what stands before this in a path is replaced by the upstream's base. */
const BASE = '/v1';

/** Headers that belong to one connection, or that the relay sets itself. */
const OWN_HEADERS = new Set([
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

/** The base URL behind a recorder. */
export class Upstream {
  readonly #base: URL;

  /** @throws EmulatorError if it is no base URL */
  constructor(url: string) {
    const base = URL.canParse(url) ? new URL(url) : undefined;
    if (base === undefined || (base.protocol !== 'http:' && base.protocol !== 'https:')) {
      throw invalid(`must be a base URL such as https://api.openai.com/v1, not ${JSON.stringify(url)}`);
    }
    if (base.username !== '' || base.password !== '') {
      throw invalid('must not hold a user or a password; let the client send its credentials');
    }
    if (base.search !== '' || base.hash !== '') throw invalid('must end with its path; let the client send the query');
    base.pathname = base.pathname.replace(/\/+$/, '');
    this.#base = base;
  }

  /** Written into the recording: it holds no secret. */
  get name(): string {
    return `${this.#base.origin}${this.#base.pathname.replace(/\/$/, '')}`;
  }

  /** The URL for a request to the recorder, and its path below the base. */
  target(request: IncomingMessage): { readonly url: URL; readonly path: string } {
    const url = new URL(this.#base);
    const asked = new URL(request.url ?? '/', 'http://recorder');
    const path = asked.pathname.startsWith(`${BASE}/`) ? asked.pathname.slice(BASE.length) : asked.pathname;
    url.pathname = `${url.pathname.replace(/\/$/, '')}${path}`;
    url.search = asked.search;
    return { url, path };
  }
}

/** The headers that travel on as they are. */
export function passedHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const passed: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !OWN_HEADERS.has(name)) passed[name] = value;
  }
  return passed;
}

function invalid(why: string): EmulatorError {
  return new EmulatorError('invalid_option', `The recorder's upstream ${why}.`);
}

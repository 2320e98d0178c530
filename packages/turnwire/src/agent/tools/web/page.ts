import { lookup as lookUp } from 'node:dns';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isPrivateAddress } from './private-address.js';

/** The most bytes of a page that are read. */
const pageLimit = 2 * 1024 * 1024;

export interface Page {
  url: string;
  status: number;
  /** The content type of the server: `text/html; charset=utf-8`. */
  type: string;
  /** The target of a redirect. */
  location: string | undefined;
  text: string;
  /** True where the page is longer. */
  cut: boolean;
}

export interface PageOptions {
  allowPrivate: boolean;
  /** False for an address that may not be connected to. */
  mayConnect: (address: string) => boolean;
  /** The headers of the file, put before the usual ones. */
  headers: Readonly<Record<string, string>>;
  signal: AbortSignal;
}

/**
 * One GET, without redirects and cookies, and without credentials except those of the file. The connection goes straight to the host, and not through a proxy
 * of the environment, because the address is checked here.
 *
 * @throws Error if the page cannot be fetched, is no text, or has a private address while `allowPrivate` is false
 */
export async function getPage(url: URL, options: PageOptions): Promise<Page> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!options.allowPrivate && isIP(host) !== 0 && isPrivateAddress(host)) throw privateHost(host);
  const answer = await get(url, options);
  try {
    const { statusCode: status = 0, headers } = answer;
    const type = headers['content-type'] ?? 'text/plain';
    const redirected = status >= 300 && status < 400 && status !== 304 ? headers.location : undefined;
    if (redirected !== undefined) return { url: url.href, status, type, location: redirected, text: '', cut: false };
    if (!/^(?:text\/|application\/(?:[\w.-]+\+)?(?:json|xml|xhtml|javascript|yaml))/i.test(type))
      throw new Error(`is ${type}, not text`);
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity')
      throw new Error(`came compressed (${encoding}), although that was not asked for`);
    return { url: url.href, status, type, location: undefined, ...(await textOf(answer, type)) };
  } finally {
    answer.destroy();
  }
}

function get(url: URL, options: PageOptions): Promise<IncomingMessage> {
  const { headers, signal } = options;
  return new Promise((resolve, reject) => {
    const { request } = url.protocol === 'https:' ? https : http;
    const sent = request(
      url,
      {
        signal,
        // The connection is a new one: an earlier one may have been opened under other rules.
        agent: false,
        lookup: checkedLookup(options),
        headers: {
          accept: 'text/*, application/json;q=0.9, */*;q=0.1',
          'accept-encoding': 'identity',
          'user-agent': 'turnwire',
          ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
        },
      },
      resolve,
    );
    sent.once('error', reject);
    sent.end();
  });
}

/** Looks up a name, and refuses it if one of its addresses may not be reached. The connection then uses the checked addresses, with no second lookup. */
function checkedLookup({ allowPrivate, mayConnect }: PageOptions): LookupFunction {
  return (hostname, options, callback) => {
    lookUp(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '');
      const [first] = addresses;
      if (first === undefined || (!allowPrivate && addresses.some(({ address }) => isPrivateAddress(address))))
        return callback(privateHost(hostname), '');
      if (!addresses.every(({ address }) => mayConnect(address)))
        return callback(new Error(`${hostname} has an address that may not be fetched from`), '');
      return options.all === true ? callback(null, addresses) : callback(null, first.address, first.family);
    });
  };
}

function privateHost(host: string): Error {
  return new Error(`${host} is on this machine or in a private network, which "allow_private_ips" would have to allow`);
}

async function textOf(answer: IncomingMessage, type: string): Promise<{ text: string; cut: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > pageLimit) break;
  }
  const whole = Buffer.concat(chunks).subarray(0, pageLimit);
  const named = /charset\s*=\s*["']?([\w-]+)/i;
  // A page may declare its character set in its first 1024 bytes.
  const inPage = type.includes('html') ? named.exec(whole.toString('latin1', 0, 1024))?.[1] : undefined;
  const charset = named.exec(type)?.[1] ?? inPage ?? 'utf-8';
  const cut = bytes > pageLimit;
  // With `stream`, a character that the limit cuts in two is left out.
  return { text: decoder(charset).decode(whole, { stream: cut }), cut };
}

function decoder(charset: string): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(charset);
  } catch {
    // An unknown character set: most such pages are UTF-8.
    return new TextDecoder();
  }
}

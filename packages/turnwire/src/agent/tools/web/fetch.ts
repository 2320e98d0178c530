import { z } from 'zod';
import { hasAddress, type Hosts, isAbout, readHosts } from '../../../config/hosts.js';
import type { Toolset } from '../../../config/toolset.js';
import { HeadAndTail } from '../commands/head-and-tail.js';
import { readPage } from './html/read-page.js';
import { getPage, type Page } from './page.js';
import { defineTool, type ToolContext } from '../tool.js';
import type { OpenToolset } from '../toolset.js';

/** The most bytes of text that one call may return. */
const textLimit = 256 * 1024;
const mostRedirects = 5;
const defaultTimeout = 30;

type Fetch = Extract<Toolset, { type: 'fetch' }>;

/**
 * Fetches pages. Without `allow_private_ips` only public addresses are reached, so that a page cannot make the agent read something that only this machine
 * can reach. This holds for each redirect, and for the address that the connection really goes to.
 */
export function fetchToolset(settings: Fetch, headers: Readonly<Record<string, string>> = {}): OpenToolset {
  const { timeout: standard = defaultTimeout, allow_private_ips: allowPrivate = false } = settings;
  return {
    tools: [
      defineTool({
        name: 'fetch',
        description:
          'Fetches pages by GET and returns what they say, each after a line with its address and status. They share a limit of 256 KiB; of longer ones the middle is cut.',
        readOnly: true,
        addresses: ({ urls }) => urls.flatMap((url) => (URL.canParse(url) ? [new URL(url)] : [])),
        input: z.object({
          urls: z.array(z.string()).min(1).max(10).describe('Addresses, with http:// or https://.'),
          format: z
            .enum(['text', 'markdown', 'html'])
            .default('text')
            .describe(
              'text: what a person reads of a page; markdown: the same with its form; html: the page as it is.',
            ),
          timeout: z.number().positive().max(300).default(standard).describe('Seconds for each.'),
        }),
        async run({ urls, format, timeout }, { signal, mayReach }) {
          const share = Math.floor(textLimit / urls.length);
          const parts: string[] = [];
          for (const url of urls) {
            const limit = AbortSignal.any([signal, AbortSignal.timeout(timeout * 1000)]);
            try {
              const page = await follow(url, settings, { allowPrivate, headers, signal: limit, mayReach });
              parts.push(`=== ${page.url}, status ${page.status} ===\n${await contentOf(page, format, share, limit)}`);
            } catch (error) {
              signal.throwIfAborted();
              const reason = limit.aborted ? `gave no answer within ${timeout} s` : messageOf(error);
              parts.push(`=== ${url} ===\nError: ${reason}`);
            }
          }
          return parts.join('\n');
        },
      }),
    ],
  };
}

interface FollowOptions extends Pick<ToolContext, 'mayReach' | 'signal'> {
  allowPrivate: boolean;
  headers: Readonly<Record<string, string>>;
}

async function follow(address: string, settings: Fetch, options: FollowOptions): Promise<Page> {
  const { allowPrivate, signal, mayReach } = options;
  const blocked = hostsOf(settings.blocked_domains);
  const mayConnect = (ip: string): boolean => !blocked.some((hosts) => hasAddress(hosts, ip));
  let { headers } = options;
  let url = parse(address, settings);
  for (let hop = 0; hop <= mostRedirects; hop += 1) {
    const page = await getPage(url, { allowPrivate, mayConnect, headers, signal });
    if (page.location === undefined) return page;
    const next = parse(new URL(page.location, url).href, settings);
    // The approval of the first address does not hold for the host that it redirects to.
    if (next.host !== url.host && (await mayReach?.(next)) === false)
      throw new Error(`redirects to ${next.href}, which was not approved; fetch that address by itself`);
    // The headers of the file are for one server, and are not sent to the next.
    if (next.origin !== url.origin) headers = {};
    url = next;
  }
  throw new Error(`was redirected more than ${mostRedirects} times`);
}

function parse(address: string, { allowed_domains: allowed, blocked_domains: blocked }: Fetch): URL {
  if (!URL.canParse(address)) throw new Error(`${address} is no address; begin it with https://`);
  const url = new URL(address);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new Error(`${url.protocol} is not fetched, only http: and https:`);
  const host = url.hostname.replace(/\.$/, '');
  if (allowed !== undefined && !hostsOf(allowed).some((hosts) => isAbout(hosts, host, true)))
    throw new Error(`${host} may not be fetched from; allowed are ${allowed.join(', ')}`);
  if (hostsOf(blocked).some((hosts) => isAbout(hosts, host, false))) throw new Error(`${host} may not be fetched from`);
  return url;
}

/** The entries of a list. An entry that can match no host is an error of the file. */
function hostsOf(list: readonly string[] = []): Hosts[] {
  return list.flatMap((entry) => readHosts(entry) ?? []);
}

async function contentOf(
  { text, type, url, cut }: Page,
  format: 'text' | 'markdown' | 'html',
  limit: number,
  signal: AbortSignal,
): Promise<string> {
  const read = format !== 'html' && type.includes('html') ? await readPage(text, { format, url, signal }) : text;
  const kept = new HeadAndTail(limit);
  kept.add(Buffer.from(read));
  return `${kept.toString()}${cut ? '\n[cut: the page is longer than what was read of it]' : ''}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

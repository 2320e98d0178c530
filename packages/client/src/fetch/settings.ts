import { isFetchReplaced, replacedFetchWarning } from '../network/replaced-fetch.js';
import { checkIsObject, checkOptions, clientNames, isSameName, kindOf } from '../option-names.js';
import { TurnwireError } from '../protocol/errors.js';
import { resolveOptions } from '../settings.js';
import type { Settings } from '../settings.js';
import type { Identity } from './identities.js';
import type { FetchOptions } from './options.js';

/** What all identities of one fetch have in common. */
export interface CommonSettings {
  options: Omit<FetchOptions, 'fetch'>;
  /** The ordinary fetch. */
  ordinary: typeof globalThis.fetch;
  /** Told once for each sentence: turns to this address go by the ordinary fetch. */
  onUnfit: (reason: string) => void;
  /** Of `globalThis.fetch`, before the first turn; `own` is the fetch that this is about. */
  noticeFetch: (own: typeof globalThis.fetch) => void;
}

/** Options of `createClient` that a request says by itself. */
const saidByRequests: readonly string[] = ['apiKey', 'baseUrl', 'headers', 'organization', 'project'];

const fetchNames: readonly string[] = clientNames.filter((name) => !saidByRequests.includes(name));

/** @throws TurnwireError `invalid_option` */
export function checkFetchOptions(
  given: FetchOptions,
  ordinary: CommonSettings['ordinary'],
): CommonSettings & { maxChainBytes: number } {
  checkIsObject('the options', given);
  for (const name of Object.keys(given)) {
    const said = saidByRequests.find((one) => isSameName(one, name));
    if (said !== undefined)
      throw new TurnwireError(
        'invalid_option',
        `createFetch takes no ${said}: each request brings its own, so give it to the SDK`,
      );
  }
  checkOptions(given, fetchNames);
  const { fetch, ...options } = given;
  if (fetch !== undefined && typeof fetch !== 'function')
    throw new TurnwireError('invalid_option', 'fetch must be a function like globalThis.fetch');
  // Everything else is checked as for a client, with an identity that stands for all.
  const viaFetch: unknown = options.network?.viaFetch;
  if (viaFetch !== undefined && typeof viaFetch !== 'boolean')
    throw new TurnwireError('invalid_option', `network.viaFetch must be true or false, not ${kindOf(viaFetch)}`);
  const anyone = { url: 'https://api.openai.com/v1/responses', headers: {} };
  const { chains, onWarning } = settingsFor(anyone, { options, ordinary });
  const told = new Set<string>();
  const warn = (warning: string): void => {
    if (onWarning === false || told.has(warning)) return;
    told.add(warning);
    queueMicrotask(() => onWarning(warning));
  };
  return {
    options,
    ordinary,
    maxChainBytes: chains.maxBytes,
    onUnfit: (reason) => warn(`turnwire: a turn goes by the ordinary fetch: ${reason}`),
    noticeFetch: (own) => {
      if (options.transport === 'sse' && viaFetch === true) return;
      if (isFetchReplaced(own))
        warn(replacedFetchWarning('create it with { transport: "sse", network: { viaFetch: true } }'));
    },
  };
}

/**
 * The settings of the client for one identity. Of the environment it knows the proxies alone: whose key and organization a request has, it says
 * itself.
 *
 * @throws TurnwireError `invalid_option`
 */
export function settingsFor(
  { url, headers, program }: Identity,
  { options, ordinary }: Pick<CommonSettings, 'options' | 'ordinary'>,
): Settings {
  const proxies = Object.entries(process.env).filter(([name]) => /^(https?|all|no)_proxy$/i.test(name));
  const recovery = { refusals: 'surface' as const, ...options.recovery };
  const { viaFetch, ...network } = options.network ?? {};
  return resolveOptions(
    {
      ...options,
      recovery,
      network,
      baseUrl: url,
      headers: { ...program, ...headers },
      fetch: viaFetch === true ? ordinary : undefined,
    },
    Object.fromEntries(proxies),
  );
}

import { checkIsObject, checkOptions, clientNames, isSameName } from '../option-names.js';
import { TurnwireError } from '../protocol/errors.js';
import { resolveOptions } from '../settings.js';
import type { Settings } from '../settings.js';
import type { Identity } from './identities.js';
import type { FetchOptions } from './options.js';

/** What all identities of one fetch have in common. */
export interface CommonSettings {
  options: Omit<FetchOptions, 'fetch'>;
  /** Told once for each sentence: turns to this address go by the ordinary fetch. */
  onUnfit: (reason: string) => void;
}

/** Options of `createClient` that a request says by itself. */
const saidByRequests: readonly string[] = ['apiKey', 'baseUrl', 'headers', 'organization', 'project'];

const fetchNames: readonly string[] = [...clientNames.filter((name) => !saidByRequests.includes(name)), 'fetch'].sort();

/** @throws TurnwireError `invalid_option` */
export function checkFetchOptions(given: FetchOptions): CommonSettings & { maxChainBytes: number } {
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
  const { chains, onWarning } = settingsFor({ url: 'https://api.openai.com/v1/responses', headers: {} }, { options });
  const told = new Set<string>();
  return {
    options,
    maxChainBytes: chains.maxBytes,
    onUnfit: (reason) => {
      if (onWarning === false || told.has(reason)) return;
      told.add(reason);
      queueMicrotask(() => onWarning(`turnwire: a turn goes by the ordinary fetch: ${reason}`));
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
  { options }: Pick<CommonSettings, 'options'>,
): Settings {
  const proxies = Object.entries(process.env).filter(([name]) => /^(https?|all|no)_proxy$/i.test(name));
  const recovery = { refusals: 'surface' as const, ...options.recovery };
  return resolveOptions(
    { ...options, recovery, baseUrl: url, headers: { ...program, ...headers } },
    Object.fromEntries(proxies),
  );
}

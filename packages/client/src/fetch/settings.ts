import { isFetchReplaced, replacedFetchWarning } from '../network/replaced-fetch.js';
import {
  checkGroup,
  checkIsObject,
  checkOptions,
  clientNames,
  fetchGroups,
  isSameName,
  describeKind,
} from '../settings/option-names.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import { resolveOptions } from '../settings/settings.js';
import { HeaderRules, credentialHeaders, expressionOf } from './request/headers.js';
import type { Settings } from '../settings/settings.js';
import type { HeaderOptions } from './request/headers.js';
import type { Identity } from './identity-clients.js';
import type { FetchOptions } from './options.js';

/** The settings that all identities of one fetch share. */
export interface CommonSettings {
  options: Omit<FetchOptions, 'fetch' | keyof HeaderOptions>;
  /** The ordinary fetch. */
  ordinary: typeof globalThis.fetch;
  rules: HeaderRules;
  /** The warnings that were given, for all identities together. */
  warned: Set<string>;
  /** Warns of a header that differs by request. */
  onSuspect: (name: string) => void;
  /** Warns, once for each reason, that turns go by the ordinary fetch. */
  onUnfit: (reason: string) => void;
  /** Warns if `globalThis.fetch` was replaced, before the first turn. */
  warnOfReplacedFetch: (own: typeof globalThis.fetch) => void;
}

/** Options of `createClient` that each request brings. */
const perRequestOptions: readonly string[] = ['apiKey', 'baseUrl', 'headers', 'organization', 'project'];

const fetchNames: readonly string[] = [
  ...clientNames.filter((name) => !perRequestOptions.includes(name)),
  'identityHeaders',
  'perRequestHeaders',
].sort();

/** @throws TurnwireError `invalid_option` */
export function checkFetchOptions(
  given: FetchOptions,
  ordinary: CommonSettings['ordinary'],
): CommonSettings & { maxChainBytes: number } {
  checkIsObject('the options', given);
  for (const name of Object.keys(given)) {
    const perRequest = perRequestOptions.find((one) => isSameName(one, name));
    if (perRequest !== undefined)
      throw new TurnwireError(
        'invalid_option',
        `createFetch takes no ${perRequest}: each request brings its own, so give it to the SDK`,
      );
  }
  checkOptions(given, fetchNames, fetchGroups);
  const { fetch, perRequestHeaders, identityHeaders, ...options } = given;
  const rules = headerRulesOf({ perRequestHeaders, identityHeaders });
  if (fetch !== undefined && typeof fetch !== 'function')
    throw new TurnwireError('invalid_option', 'fetch must be a function like globalThis.fetch');
  // Everything else is checked as for a client, with a sample identity.
  if (options.network !== undefined) checkGroup('network', options.network, fetchGroups);
  const viaFetch: unknown = options.network?.viaFetch;
  if (viaFetch !== undefined && typeof viaFetch !== 'boolean')
    throw new TurnwireError('invalid_option', `network.viaFetch must be true or false, not ${describeKind(viaFetch)}`);
  const anyone = { url: 'https://api.openai.com/v1/responses', headers: {} };
  const warned = new Set<string>();
  const { chains, onWarning } = settingsFor(anyone, { options, ordinary, warned });
  const warn = (warning: string): void => {
    if (onWarning === false || warned.has(warning)) return;
    warned.add(warning);
    queueMicrotask(() => onWarning(warning));
  };
  return {
    options,
    ordinary,
    warned,
    maxChainBytes: chains.maxBytes,
    rules,
    onSuspect: (name) => {
      // With `identityHeaders` the caller has decided: no warning.
      if (!rules.isAllowList) warn(suspectWarning(name));
    },
    onUnfit: (reason) => warn(`turnwire: a turn goes by the ordinary fetch: ${reason}`),
    warnOfReplacedFetch: (own) => {
      if (options.transport === 'sse' && viaFetch === true) return;
      if (isFetchReplaced(own))
        warn(replacedFetchWarning('create it with { transport: "sse", network: { viaFetch: true } }'));
    },
  };
}

function suspectWarning(name: string): string {
  return `turnwire: requests differ in the header "${name}" alone, so that each has connections of its own and sends its history in full: unless it says who asks, name it in perRequestHeaders (docs/fetch.md)`;
}

/** @throws TurnwireError `invalid_option` */
function headerRulesOf(options: HeaderOptions): HeaderRules {
  for (const [option, patterns] of Object.entries(options)) checkPatterns(option, patterns);
  const { perRequestHeaders = [] } = options;
  for (const pattern of perRequestHeaders) {
    const named = credentialHeaders.find((name) => expressionOf(pattern).test(name));
    if (named === undefined) continue;
    const message = `perRequestHeaders: ${String(pattern)} names ${named}, which says who asks: requests of several would share a connection`;
    throw new TurnwireError('invalid_option', message);
  }
  return new HeaderRules(options);
}

function checkPatterns(option: string, patterns: unknown): void {
  if (patterns === undefined) return;
  if (!Array.isArray(patterns))
    throw new TurnwireError(
      'invalid_option',
      `${option} must be a list of header names, not ${describeKind(patterns)}`,
    );
  for (const pattern of patterns as unknown[])
    if (!(pattern instanceof RegExp) && !(typeof pattern === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(pattern)))
      throw new TurnwireError(
        'invalid_option',
        `${option} must hold names of headers, with * for any characters, or expressions, not ${typeof pattern === 'string' ? JSON.stringify(pattern.slice(0, 100)) : describeKind(pattern)}`,
      );
}

/**
 * The settings of the client of one identity. Only proxies are taken from the environment: a request brings its own key and organization.
 *
 * @throws TurnwireError `invalid_option`
 */
export function settingsFor(
  { url, headers, program }: Identity,
  { options, ordinary, warned }: Pick<CommonSettings, 'options' | 'ordinary' | 'warned'>,
): Settings {
  const proxies = Object.entries(process.env).filter(([name]) => /^(https?|all|no)_proxy$/i.test(name));
  const recovery = { refusals: 'surface' as const, ...options.recovery };
  const { viaFetch, ...network } = options.network ?? {};
  const settings = resolveOptions(
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
  return { ...settings, warned };
}

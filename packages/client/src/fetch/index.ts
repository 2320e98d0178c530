// The public API of @turnwire/client/fetch, as a table of contents.
export { createFetch } from './fetch.js';
export type { FetchNetworkOptions, FetchOptions, HeaderPattern, FetchStats, TurnwireFetch } from './options.js';
export { TurnwireError } from '../protocol/errors/errors.js';

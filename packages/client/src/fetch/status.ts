import type { ServerError } from '../protocol/server-error.js';

/**
 * The status of a refusal that names none, as HTTP would have had it: by its code, else by its type. Servers in the wild leave it out of their error
 * frames (P14, P15).
 */
export function statusOf({ status, code, type, param }: ServerError): number {
  if (status !== undefined) return status;
  const known = statuses.get(code ?? '') ?? statuses.get(type ?? '');
  if (known !== undefined) return known;
  // Who names a parameter speaks of the request; who says nothing at all, of itself.
  return param === undefined && code === undefined ? 500 : 400;
}

const statuses: ReadonlyMap<string, number> = new Map([
  ['authentication_error', 401],
  ['billing_hard_limit_reached', 429],
  ['insufficient_quota', 429],
  ['invalid_api_key', 401],
  ['model_not_found', 404],
  ['not_found_error', 404],
  ['overloaded_error', 503],
  ['permission_denied', 403],
  ['permission_error', 403],
  ['rate_limit_error', 429],
  ['rate_limit_exceeded', 429],
  ['server_error', 500],
  ['server_is_overloaded', 503],
  ['slow_down', 503],
  ['usage_limit_reached', 429],
]);

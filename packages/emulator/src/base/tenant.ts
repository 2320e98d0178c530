import type { IncomingHttpHeaders } from 'node:http';
import { sha256 } from './digest.js';

/** Whose responses and conversations are found: a digest of the credentials that a request came with; one for all without any. */
export type Tenant = string;

export const credentialRules = ['separate', 'shared'] as const;

/** The tenant of every request where credentials are shared, and of requests without credentials. */
const noTenant: Tenant = '';

const credentialHeaders = ['authorization', 'api-key', 'x-api-key'] as const;

/** The tenant of a request. Digests are kept instead of keys: nothing that the emulator holds shows a secret. */
export function tenantOf(headers: IncomingHttpHeaders, credentials: (typeof credentialRules)[number]): Tenant {
  if (credentials === 'shared') return noTenant;
  const given = credentialHeaders.map((name) => headers[name]).filter((value) => value !== undefined);
  return given.length === 0 ? noTenant : sha256(JSON.stringify(given));
}

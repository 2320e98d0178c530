import { sha256 } from './digest.js';

/** The owner of responses and conversations: a digest of the credentials of a request. All requests without credentials share one tenant. */
export type Tenant = string;

export const credentialRules = ['separate', 'shared'] as const;
export type CredentialRule = (typeof credentialRules)[number];

/** The headers of a request, in small letters, as Node.js reads them. */
type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** The tenant of requests without credentials, and of every request if credentials are shared. */
const noTenant: Tenant = '';

const credentialHeaders = ['authorization', 'api-key', 'x-api-key'] as const;

/** The tenant of a request. It is a digest, so that the emulator keeps no secret in memory or in its journal. */
export function tenantOf(headers: Headers, credentials: CredentialRule): Tenant {
  if (credentials === 'shared') return noTenant;
  const values = credentialHeaders
    .map((name) => headers[name])
    .filter((value) => value !== undefined)
    .map(withLowerCaseScheme);
  return values.length === 0 ? noTenant : sha256(JSON.stringify(values));
}

/** The same credential with its scheme in lower case: `bearer` and `Bearer` are one scheme (RFC 9110 §11.1). */
function withLowerCaseScheme(value: string | string[]): string {
  return String(value).replace(/^[^\s]+ +/, (scheme) => `${scheme.trimEnd().toLowerCase()} `);
}

import { defaultTokenKeys, providers } from '../../config/models/providers.js';
import { UsageError } from '../process/usage-error.js';
import type { Io } from '../process/io.js';

/** A key, and the environment variable that holds it. */
export interface EndpointKey {
  variable: string;
  key: string;
}

/**
 * The key for an address: that of the variable which the user names, or of the service that is known to own the address. No other key is sent there.
 *
 * @throws UsageError
 */
export function keyAt(io: Pick<Io, 'env'>, url: string, keyFrom: string | undefined): EndpointKey | undefined {
  const own = [...providers.values()].flatMap((provider) => defaultTokenKeys(provider, url));
  // Where a service has several names for its key, the first one that is set counts.
  const variable = keyFrom ?? own.find((name) => Boolean(io.env[name])) ?? own[0];
  if (variable === undefined) return undefined;
  const key = io.env[variable];
  if (key === undefined || key === '')
    throw new UsageError(`the environment has no ${variable}, which is to hold the key for ${new URL(url).origin}`);
  return { variable, key };
}

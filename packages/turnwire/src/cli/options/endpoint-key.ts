import { defaultTokenKeys, providers } from '../../config/models/providers.js';
import { UsageError } from '../process/usage-error.js';
import type { Io } from '../process/io.js';

/** A key, and the variable of the environment that has it. */
export interface EndpointKey {
  variable: string;
  key: string;
}

/**
 * The key for an address: what its owner names, or that of the service that the address is known to belong to; nothing else goes there.
 *
 * @throws UsageError
 */
export function keyAt(io: Pick<Io, 'env'>, url: string, keyFrom: string | undefined): EndpointKey | undefined {
  const own = [...providers.values()].flatMap((provider) => defaultTokenKeys(provider, url));
  // Of several names that the key of one service may have, the first that is set.
  const variable = keyFrom ?? own.find((name) => Boolean(io.env[name])) ?? own[0];
  if (variable === undefined) return undefined;
  const key = io.env[variable];
  if (key === undefined || key === '')
    throw new UsageError(`the environment has no ${variable}, which is to hold the key for ${new URL(url).origin}`);
  return { variable, key };
}

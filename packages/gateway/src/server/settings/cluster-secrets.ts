import { GatewayConfigError } from '../../config/problem.js';
import type { Config } from '../../config/schema.js';
import type { SecretSource } from './principals.js';

/** The secrets that the gateways of a deployment share. */
export interface ClusterSecrets {
  secret: string;
  password: string | undefined;
}

const shortest = 32;

/** @throws GatewayConfigError for a secret that is missing or too short. */
export async function clusterSecretsOf(
  { cluster }: Config,
  secret: SecretSource,
  file: string,
): Promise<ClusterSecrets | undefined> {
  if (cluster === undefined) return undefined;
  const value = async (name: string, path: string, length = 1): Promise<string> => {
    const found = await secret(name);
    const message =
      found === undefined || found === ''
        ? `there is no secret ${name}: set it in the environment (docs/secrets.md)`
        : `the secret ${name} has fewer than ${length} characters: make one with "openssl rand -hex 32"`;
    if (found === undefined || found.length < length) throw new GatewayConfigError([{ file, path, message }]);
    return found;
  };
  return {
    secret: await value(cluster.secret, 'cluster.secret', shortest),
    password: cluster.password === undefined ? undefined : await value(cluster.password, 'cluster.password'),
  };
}

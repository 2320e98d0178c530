import { configOf, readConfig } from '../../config/file.js';
import { clusterSecretsOf } from './cluster-secrets.js';
import { Principals } from './principals.js';
import type { Overrides } from '../../config/file.js';
import type { Config, ConfigInput } from '../../config/schema.js';
import type { ClusterSecrets } from './cluster-secrets.js';
import type { SecretSource } from './principals.js';

/** Where a configuration comes from. */
export interface ConfigSource {
  /** The configuration, or the path of a file that has it. */
  config: ConfigInput | string;
  /** What stands in the place of the file's own settings: a command line, say. */
  overrides?: Overrides | undefined;
  /** Where the keys are that the configuration names. @default the environment */
  secret?: SecretSource | undefined;
}

/** A configuration that was checked, and whom it lets in. */
export interface Checked {
  config: Config;
  principals: Principals;
  /** undefined for a gateway that is alone. */
  clusterSecrets: ClusterSecrets | undefined;
}

/** @throws GatewayConfigError with everything that is wrong. */
export async function check({
  config: given,
  overrides = {},
  secret = fromEnvironment,
}: ConfigSource): Promise<Checked> {
  const file = typeof given === 'string' ? given : 'the options';
  const config = typeof given === 'string' ? await readConfig(given, overrides) : configOf(given);
  return {
    config,
    principals: await Principals.create(config, secret, file),
    clusterSecrets: await clusterSecretsOf(config, secret, file),
  };
}

/**
 * Says what a configuration comes to, with every default; the secrets that it names are looked for.
 *
 * @throws GatewayConfigError with everything that is wrong.
 */
export async function checkConfig(source: ConfigSource): Promise<Config> {
  const { config } = await check(source);
  return config;
}

function fromEnvironment(name: string): Promise<string | undefined> {
  return Promise.resolve(process.env[name]);
}

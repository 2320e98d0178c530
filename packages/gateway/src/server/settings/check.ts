import { configOf, readConfig } from '../../config/file.js';
import { readCertificate } from './certificate.js';
import { clusterSecretsOf } from './cluster-secrets.js';
import { Principals } from './principals.js';
import type { Overrides } from '../../config/file.js';
import type { Config, ConfigInput } from '../../config/schema.js';
import type { Certificate } from './certificate.js';
import type { ClusterSecrets } from './cluster-secrets.js';
import type { SecretSource } from './principals.js';

/** The source of a configuration. */
export interface ConfigSource {
  /** The configuration, or the path of a file that has it. */
  config: ConfigInput | string;
  /** Settings that replace those of the file, such as the options of a command line. */
  overrides?: Overrides | undefined;
  /** Finds the keys that the configuration names. @default the environment */
  secret?: SecretSource | undefined;
  /** Called with one sentence when something works, but not as configured. @default process.emitWarning */
  onWarning?: ((message: string) => void) | undefined;
}

/** A checked configuration, with its principals and secrets. */
export interface CheckedConfig {
  config: Config;
  principals: Principals;
  /** undefined for a gateway that is not part of a cluster. */
  clusterSecrets: ClusterSecrets | undefined;
  /** undefined for a listener without TLS. */
  certificate: Certificate | undefined;
}

/** @throws GatewayConfigError with every mistake. */
export async function check({
  config: given,
  overrides = {},
  secret = fromEnvironment,
  onWarning = warn,
}: ConfigSource): Promise<CheckedConfig> {
  const file = typeof given === 'string' ? given : 'the options';
  const config = typeof given === 'string' ? await readConfig(given, overrides) : configOf(given);
  const { tls } = config.listen;
  return {
    config,
    certificate: tls && (await readCertificate(tls, { file, onWarning })),
    principals: await Principals.create(config, secret, file),
    clusterSecrets: await clusterSecretsOf(config, secret, file),
  };
}

/**
 * Checks a configuration, the secrets that it names and its certificate, and gives it with every default filled in.
 *
 * @throws GatewayConfigError with every mistake
 */
export async function checkConfig(source: ConfigSource): Promise<Config> {
  const { config } = await check(source);
  return config;
}

function fromEnvironment(name: string): Promise<string | undefined> {
  return Promise.resolve(process.env[name]);
}

/** Tells a warning where the caller does not take warnings itself. */
export function warn(message: string): void {
  process.emitWarning(message, { type: 'TurnwireWarning' });
}

import type { ClientOptions } from '@turnwire/client';
import type { Config } from './config.js';
import type { Model } from './model.js';
import { neededSecrets } from './needed-secrets.js';
import { expand, namesIn } from './references.js';
import { readSecret } from './secrets/key.js';
import type { Environment, Secrets } from './secrets/secrets.js';

/**
 * How to reach a model: the options of `createClient` that the agent file decides. Keys and the secrets in headers are read when the client
 * dials, not now, from the same source for both transports. For an `emulator` without an address, `baseUrl` is the caller's to add.
 */
export function clientOptions(
  model: Model,
  secrets: Secrets,
): Pick<ClientOptions, 'apiKey' | 'baseUrl' | 'headers' | 'timeouts' | 'transport'> {
  const { tokenKeys, baseUrl, transport, headers, timeouts } = model;
  const fields = Object.entries(headers);
  const secret = fields.some(([, value]) => namesIn(value).length > 0);
  return {
    apiKey: tokenKeys.length === 0 ? undefined : () => readSecret(secrets, tokenKeys),
    baseUrl,
    ...(fields.length === 0 ? {} : { headers: secret ? () => expandHeaders(headers, secrets) : headers }),
    timeouts,
    transport,
  };
}

async function expandHeaders(headers: Model['headers'], secrets: Secrets): Promise<Record<string, string>> {
  const expanded: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    expanded[name] = await expand(value, (secret) => readSecret(secrets, [secret]));
  return expanded;
}

/** The environment without the secrets that the file names: for commands that the model itself writes. */
export function withoutSecrets(env: Environment, config: Config): Environment {
  const secret = new Set(neededSecrets([...config.agents.values()]).flatMap(({ names }) => names));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !secret.has(name)));
}

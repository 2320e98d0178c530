import type { ClientOptions } from '@turnwire/client';
import type { Config } from '../config.js';
import type { Model } from './model.js';
import { expand, namesIn } from '../variables/references.js';
import { readSecret } from '../secrets/key.js';
import type { Environment, Secrets } from '../secrets/secrets.js';

/**
 * The options of `createClient` for a model, as the agent file decides them. Keys and secrets in headers are read at each dial, from the same source for both
 * transports. For an `emulator` without an address the caller adds `baseUrl`.
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

/** The environment without the variables that hold keys and other secrets: for commands, some of which the model writes. */
export function withoutSecrets(env: Environment, { secretVariables }: Pick<Config, 'secretVariables'>): Environment {
  // On Windows the case of a variable's name does not matter.
  const plain = (name: string): string => (process.platform === 'win32' ? name.toUpperCase() : name);
  const secret = new Set([...secretVariables].map(plain));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !secret.has(plain(name))));
}

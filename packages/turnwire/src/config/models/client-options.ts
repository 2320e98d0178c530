import type { ClientOptions } from '@turnwire/client';
import type { Config } from '../config.js';
import type { Model } from './model.js';
import { expand, namesIn } from '../variables/references.js';
import { readSecret } from '../secrets/key.js';
import type { Environment, Secrets } from '../secrets/secrets.js';

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

/** The environment without the variables that hold keys and other secrets: for commands, those that the model itself writes among them. */
export function withoutSecrets(env: Environment, { secretVariables }: Pick<Config, 'secretVariables'>): Environment {
  // Windows does not tell names apart by their case.
  const plain = (name: string): string => (process.platform === 'win32' ? name.toUpperCase() : name);
  const secret = new Set([...secretVariables].map(plain));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !secret.has(plain(name))));
}

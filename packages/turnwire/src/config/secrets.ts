import type { ClientOptions } from '@turnwire/client';
import type { Model } from './model.js';

/** Where keys come from. One source for both transports, asked again at each dial, so that a rotated key is picked up. */
export interface Secrets {
  /** The value of that name, as it is; undefined if this source has none. */
  get(name: string): Promise<string | undefined>;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The variables of a process. */
export function environmentSecrets(env: Environment): Secrets {
  return { get: (name) => Promise.resolve(Object.hasOwn(env, name) ? env[name] : undefined) };
}

/** What is wrong with the key of that name, as a sentence without its value; undefined if it can be sent. */
export async function secretProblem(secrets: Secrets, name: string): Promise<string | undefined> {
  const value = await secrets.get(name);
  if (value === undefined) return `the environment variable ${name} is not set; set it to the key of this model`;
  if (value.trim() === '') return `the environment variable ${name} is empty; set it to the key of this model`;
  if (/[\r\n]/.test(value)) return `the environment variable ${name} holds a line break; set it to the key alone`;
  // What is left can be sent in a header; all else fails inside HTTP with an error that would show it.
  if (!/^[\x21-\x7e]+$/.test(value))
    return `the environment variable ${name} holds a blank or a character that is not ASCII; set it to the key alone`;
  return undefined;
}

/**
 * How to reach a model: the options of `createClient` that the agent file decides. The key is read when the client dials, not now.
 * For an `emulator` without an address, `baseUrl` is the caller's to add.
 */
export function clientOptions(model: Model, secrets: Secrets): Pick<ClientOptions, 'apiKey' | 'baseUrl' | 'transport'> {
  const { tokenKey, baseUrl, transport } = model;
  return { apiKey: tokenKey === undefined ? undefined : () => readKey(secrets, tokenKey), baseUrl, transport };
}

async function readKey(secrets: Secrets, name: string): Promise<string> {
  const problem = await secretProblem(secrets, name);
  if (problem !== undefined) throw new Error(problem);
  return (await secrets.get(name)) ?? '';
}

/** The environment without the key of this model: for commands that the model itself writes. */
export function withoutKey(env: Environment, model: Model): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name !== model.tokenKey));
}

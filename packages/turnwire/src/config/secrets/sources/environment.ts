import type { Environment, Secrets } from '../secrets.js';

/** The environment variables of a process. */
export function environmentSecrets(env: Environment): Secrets {
  return {
    get: (name) => {
      const value = Object.hasOwn(env, name) ? env[name] : undefined;
      return Promise.resolve(value === undefined ? undefined : { value, source: 'the environment' });
    },
  };
}

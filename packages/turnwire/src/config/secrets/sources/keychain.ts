import { ask, type Program } from './program.js';
import { isName, type Secrets } from '../secrets.js';

/** The keychain of macOS: a generic password whose service is the name of the secret. */
export function keychainSecrets(program: Program): Secrets {
  return {
    async get(name) {
      if (!isName(name)) return undefined;
      const found = await ask(program, ['find-generic-password', '-w', '-s', name]);
      return found === undefined ? undefined : { value: found.replace(/\n$/, ''), source: 'the keychain' };
    },
  };
}

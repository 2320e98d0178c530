import { ask, type Program } from './program.js';
import { SecretError, type Secrets } from '../secrets.js';

/** Replaces a value that is a 1Password reference (`op://vault/item/field`), from any source, by the output of `op read`. */
export function withOnePassword(secrets: Secrets, program: Program | undefined): Secrets {
  return {
    async get(name) {
      const found = await secrets.get(name);
      if (found === undefined || !found.value.startsWith('op://')) return found;
      const said = `${name}, from ${found.source}, is a 1Password reference`;
      if (program === undefined) throw new SecretError(`${said}, and there is no "op" on the PATH; install its CLI`);
      const value = await ask(program, ['read', '--no-newline', found.value.trim()]);
      if (value === undefined) throw new SecretError(`${said} that "op read" has no answer to; is it signed in?`);
      return { value, source: `1Password, by ${found.source}` };
    },
  };
}

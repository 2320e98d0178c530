import { ask, type Program } from './program.js';
import { isName, type Secrets } from '../secrets.js';

/** `pass`, the standard Unix password manager. The secret is the first line of the entry: further lines are notes, by its convention. */
export function passwordStoreSecrets(program: Program): Secrets {
  return {
    async get(name) {
      if (!isName(name)) return undefined;
      const entry = await ask(program, ['show', name]);
      return entry === undefined ? undefined : { value: entry.split(/\r?\n/, 1)[0] ?? '', source: `pass show ${name}` };
    },
  };
}

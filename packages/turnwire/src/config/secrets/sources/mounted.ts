import { join } from 'node:path';
import { isName, SecretError, type Secrets } from '../secrets.js';
import { readSmallFile } from './small-file.js';

/** The secrets of a container, as files with their names. One line feed at the end is removed, because editors and `echo` add it; the rest is the value. */
export function mountedSecrets(folder = '/run/secrets'): Secrets {
  return {
    async get(name) {
      if (!isName(name)) return undefined;
      const path = join(folder, name);
      try {
        const text = await readSmallFile(path);
        return text === undefined ? undefined : { value: text.replace(/\r?\n$/, ''), source: path };
      } catch (error) {
        throw new SecretError(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
    },
  };
}

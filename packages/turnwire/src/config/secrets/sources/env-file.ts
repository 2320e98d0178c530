import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { type Environment, SecretError, type Secrets } from '../secrets.js';
import { readSmallFile } from './small-file.js';

/**
 * A file of variables for `--env-from-file`, in the format of Node's `util.parseEnv`. Of two lines with the same name, the later one counts.
 *
 * @throws SecretError if the file does not exist or cannot be read, both now and when a secret is read
 */
export function envFileSecrets(path: string, cwd: string): Secrets {
  const place = resolvePath(path, cwd);
  checkFile(path, place);
  return {
    async get(name) {
      const values = await readEnvFile(path, place);
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      return value === undefined ? undefined : { value, source: path };
    },
  };
}

function resolvePath(path: string, cwd: string): string {
  if (path.split(/[/\\]/).includes('..'))
    throw new SecretError(`--env-from-file ${path}: a path with ".." is not taken; name the folder`);
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : resolve(cwd, path);
}

/** Checks the file at once, and not only when a secret is read: nobody names a missing file on purpose. */
function checkFile(path: string, place: string): void {
  const found = statSync(place, { throwIfNoEntry: false });
  if (found === undefined) throw missing(path);
  if (!found.isFile()) throw new SecretError(`${path}: it is not a regular file`);
}

async function readEnvFile(path: string, place: string): Promise<Environment> {
  let text: string | undefined;
  try {
    text = await readSmallFile(place);
  } catch (error) {
    throw new SecretError(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (text === undefined) throw missing(path);
  return parseEnv(text);
}

function missing(path: string): SecretError {
  return new SecretError(`${path}: there is no such file; check --env-from-file`);
}

import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { SecretError, type Secrets } from './secrets.js';
import { readSmallFile } from './small-file.js';

/**
 * A file of `KEY=VALUE` lines, as `--env-from-file` names it: comments begin a line with `#`, `export` before a name is allowed, double
 * quotes around a value are left out, nothing is replaced inside it. Of two lines with the same name, the later one counts.
 *
 * @throws SecretError, when it is asked, if the file cannot be read or a line is something else; the line is named, not shown.
 */
export function envFileSecrets(path: string, cwd: string): Secrets {
  const place = resolvePath(path, cwd);
  return {
    async get(name) {
      const value = (await readEnvFile(path, place)).get(name);
      return value === undefined ? undefined : { value, source: path };
    },
  };
}

function resolvePath(path: string, cwd: string): string {
  if (path.split(/[/\\]/).includes('..'))
    throw new SecretError(`--env-from-file ${path}: a path with ".." is not taken; name the folder`);
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : resolve(cwd, path);
}

async function readEnvFile(path: string, place: string): Promise<ReadonlyMap<string, string>> {
  let text: string | undefined;
  try {
    text = await readSmallFile(place);
  } catch (error) {
    throw new SecretError(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (text === undefined) throw new SecretError(`${path}: there is no such file; check --env-from-file`);
  const values = new Map<string, string>();
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    const [, name, value = ''] = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined) throw new SecretError(`${path}:${index + 1}: this line is not KEY=VALUE`);
    values.set(name, /^".*"$/.test(value) ? value.slice(1, -1) : value);
  }
  return values;
}

import { rename } from 'node:fs/promises';
import { readStart } from '../files/text-file.js';

/** What every SQLite file begins with. */
const signature = Buffer.from('SQLite format 3\0', 'latin1');

/**
 * Where memories are kept for a `path` of docker-agent, whose memories are SQLite. A list in JSON gets a name that says so: beside the file that is
 * named, with `.json` behind its name.
 *
 * @param warn told of a database that is there, whose memories are not read
 */
export async function memoryFileFor(path: string, warn: ((message: string) => void) | undefined): Promise<string> {
  const beginning = await beginningOf(path);
  const isDatabase = beginning?.equals(signature) === true;
  if (!isDatabase && !/\.(?:db|sqlite3?)$/i.test(path)) return path;
  const file = `${path}.json`;
  if (isDatabase)
    warn?.(
      `the memories in ${path} are a SQLite database of docker-agent, and are not read; new ones are kept in ${file}`,
    );
  // Earlier versions have written their list under the name of a database.
  else if (beginning !== undefined && /^\s*\[/.test(beginning.toString()) && (await beginningOf(file)) === undefined)
    await rename(path, file);
  return file;
}

/** Undefined where there is no such file, or it cannot be read: who reads it later says why. */
async function beginningOf(path: string): Promise<Buffer | undefined> {
  try {
    return (await readStart(path, path, signature.length)).bytes;
  } catch {
    return undefined;
  }
}

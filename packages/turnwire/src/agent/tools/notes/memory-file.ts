import { rename } from 'node:fs/promises';
import { readStart } from '../files/text-file.js';

/** The first bytes of every SQLite file. */
const signature = Buffer.from('SQLite format 3\0', 'latin1');

/**
 * The file of memories for a `path` of docker-agent, whose memories are SQLite. turnwire keeps a JSON list, in a file beside that one with `.json` added to
 * its name.
 *
 * @param warn called where there is a database, whose memories are not read
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

/** The first bytes of a file. undefined where there is no such file or it cannot be read; whoever reads it later reports why. */
async function beginningOf(path: string): Promise<Buffer | undefined> {
  try {
    return (await readStart(path, path, signature.length)).bytes;
  } catch {
    return undefined;
  }
}

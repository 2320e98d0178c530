import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Io } from '../process/io.js';
import { UsageError } from '../process/usage-error.js';

/** The folder that the tools work in. */
export async function workingDirectory(io: Io, folder: string): Promise<string> {
  const place = resolve(io.cwd, folder);
  const problem = await stat(place).then(
    (found) => (found.isDirectory() ? undefined : 'it is not a folder'),
    (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? 'there is no such folder' : error.message),
  );
  if (problem !== undefined) throw new UsageError(`the working directory ${folder} cannot be used: ${problem}`);
  return place;
}

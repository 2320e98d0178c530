import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** The largest file, in bytes: secrets are short. */
const mostBytes = 64 * 1024;

/**
 * The text of a file; undefined if there is none of that name. It is read anew each time, because secrets are rotated under a running process.
 *
 * @throws Error whose message says why the file cannot be used, without its content
 */
export async function readSmallFile(path: string): Promise<string | undefined> {
  let file;
  try {
    // Without O_NONBLOCK, opening a pipe without a writer never returns. Windows has neither.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new Error(code === 'EACCES' ? 'it may not be read by this user' : `it cannot be read (${code})`, {
      cause: error,
    });
  }
  try {
    const kind = await file.stat();
    if (!kind.isFile()) throw new Error('it is not a regular file');
    if (kind.size > mostBytes) throw new Error('it is larger than 64 KiB');
    const bytes = new Uint8Array(mostBytes + 1);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    if (bytesRead > mostBytes) throw new Error('it is larger than 64 KiB');
    return new TextDecoder().decode(bytes.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

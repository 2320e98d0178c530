import { createHash } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { open } from 'node:fs/promises';

const nonBlockingRead = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

export const byteOrderMark = '\uFEFF';

/** The beginning of a file. */
export interface FileStart {
  bytes: Buffer;
  /** Bytes of the whole file. */
  size: number;
  /** Bytes at the end that were left out. */
  cut: number;
  version: FileVersion;
}

/** The text at the beginning of a file. */
export interface Text extends Omit<FileStart, 'bytes'> {
  /** The text without the byte order mark. */
  text: string;
  /** True where the file begins with a byte order mark. */
  marked: boolean;
}

/** The version of a file: the file system's data about it, and the digest of its content where the whole file was read. */
export interface FileVersion {
  size: bigint;
  changed: bigint;
  inode: bigint;
  digest: string | undefined;
}

export function versionOf({ size, ctimeNs, ino }: BigIntStats, whole?: Uint8Array): FileVersion {
  const digest = whole === undefined ? undefined : createHash('sha256').update(whole).digest('hex');
  return { size, changed: ctimeNs, inode: ino, digest };
}

/**
 * Reads a UTF-8 file, at most `limit` bytes of it.
 *
 * @throws Error if it is not a regular file, or no text.
 */
export async function readText(place: string, name: string, limit: number): Promise<Text> {
  const start = await readStart(place, name, limit);
  return { ...textOf(start, name), size: start.size, cut: start.cut, version: start.version };
}

/**
 * Reads the first `limit` bytes of a file.
 *
 * @throws Error if it is not a regular file: a pipe could be read for ever.
 */
export async function readStart(place: string, name: string, limit: number): Promise<FileStart> {
  // Opened non-blocking, since opening a pipe would wait for its writer. For regular files this makes no difference.
  const file = await open(place, nonBlockingRead);
  try {
    const stat = await file.stat({ bigint: true });
    if (stat.isDirectory()) throw new Error(`${name} is a directory`);
    if (!stat.isFile()) throw new Error(`${name} is not a regular file`);
    // Reads on until the limit, since `size` is wrong for /proc and for files that are being written.
    const bytes = Buffer.alloc(limit + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length);
      length += bytesRead;
      if (bytesRead === 0 || length > limit) break;
    }
    const kept = bytes.subarray(0, Math.min(length, limit));
    const size = Math.max(Number(stat.size), length);
    return { bytes: kept, size, cut: size - kept.length, version: versionOf(stat, length > limit ? undefined : kept) };
  } finally {
    await file.close();
  }
}

/**
 * The text of a file.
 *
 * @throws Error if it is no UTF-8 text.
 */
export function textOf({ bytes, size }: FileStart, name: string): Pick<Text, 'text' | 'marked'> {
  if (!bytes.includes(0)) {
    try {
      // With `stream`, a character that the limit cuts in two is left out, and is no error.
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true });
      const marked = text.startsWith(byteOrderMark);
      return { text: marked ? text.slice(1) : text, marked };
    } catch {
      // The bytes are no UTF-8: the error below says so.
    }
  }
  throw new Error(`${name} is binary (${size} bytes), not UTF-8 text`);
}

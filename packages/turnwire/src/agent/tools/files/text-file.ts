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
  /** Bytes that were left out at the end. */
  cut: number;
  version: FileVersion;
}

/** The beginning of a text file. */
export interface Text extends Omit<FileStart, 'bytes'> {
  /** Without the byte order mark. */
  text: string;
  /** Whether the file begins with a byte order mark. */
  marked: boolean;
}

/** What tells one content of a file from another: what the file system says of it, and the digest, where the whole file was read. */
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
  // Non-blocking, for the case that this is a pipe: opening one would wait for its writer. Regular files do not care.
  const file = await open(place, nonBlockingRead);
  try {
    const stat = await file.stat({ bigint: true });
    if (stat.isDirectory()) throw new Error(`${name} is a directory`);
    if (!stat.isFile()) throw new Error(`${name} is not a regular file`);
    // Not by `size`, which lies for /proc and for files that are being written.
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
      // `stream`: a character cut in two at the limit is left out, not an error.
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true });
      const marked = text.startsWith(byteOrderMark);
      return { text: marked ? text.slice(1) : text, marked };
    } catch {
      // Falls through: no UTF-8.
    }
  }
  throw new Error(`${name} is binary (${size} bytes), not UTF-8 text`);
}

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

const nonBlockingRead = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** The beginning of a text file. */
export interface Text {
  text: string;
  /** Bytes of the whole file. */
  size: number;
  /** Bytes that were left out at the end. */
  cut: number;
}

/**
 * Reads a UTF-8 file, at most `limit` bytes of it.
 *
 * @throws Error if it is not a regular file (a pipe could be read for ever), or no text.
 */
export async function readText(place: string, name: string, limit: number): Promise<Text> {
  // Non-blocking, for the case that this is a pipe: opening one would wait for its writer. Regular files do not care.
  const file = await open(place, nonBlockingRead);
  try {
    const stat = await file.stat();
    if (stat.isDirectory()) throw new Error(`${name} is a directory`);
    if (!stat.isFile()) throw new Error(`${name} is not a regular file`);
    // Not by `size`, which lies for /proc and for files that are being written.
    const bytes = new Uint8Array(limit + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length);
      length += bytesRead;
      if (bytesRead === 0 || length > limit) break;
    }
    const kept = Math.min(length, limit);
    const size = Math.max(stat.size, length);
    return { text: decode(bytes.subarray(0, kept), name, size), size, cut: size - kept };
  } finally {
    await file.close();
  }
}

function decode(bytes: Uint8Array, name: string, size: number): string {
  if (!bytes.includes(0)) {
    try {
      // `stream`: a character cut in two at the limit is left out, not an error.
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true });
    } catch {
      // Falls through: no UTF-8.
    }
  }
  throw new Error(`${name} is binary (${size} bytes), not UTF-8 text`);
}

import { readFile, stat } from 'node:fs/promises';
import { type FileVersion, versionOf } from './text-file.js';

/** A file that is larger than this is not read to see whether it has changed: that the file system says so is enough. */
const comparedBytes = 10 * 1024 * 1024;

/** The files that an agent has read or written, as it knows them: somebody else may change them meanwhile. */
export class KnownFiles {
  readonly #versions = new Map<string, FileVersion>();

  /** The agent has seen this version. */
  seen(place: string, version: FileVersion): void {
    this.#versions.set(place, version);
  }

  /** The agent has written this content. */
  async wrote(place: string, content: string): Promise<void> {
    this.#versions.set(place, versionOf(await stat(place, { bigint: true }), Buffer.from(content)));
  }

  /** Whether the content of a file is another one than the agent knows. False for files that it does not know, and for those that are gone. */
  async hasChanged(place: string): Promise<boolean> {
    const known = this.#versions.get(place);
    if (known === undefined) return false;
    try {
      const now = versionOf(await stat(place, { bigint: true }));
      if (now.size === known.size && now.changed === known.changed && now.inode === known.inode) return false;
      if (now.size !== known.size || known.digest === undefined || now.size > comparedBytes) return true;
      // Touched, moved, or written as it was.
      return versionOf(await stat(place, { bigint: true }), await readFile(place)).digest !== known.digest;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
      throw error;
    }
  }
}

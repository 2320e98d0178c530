import { readFile, stat } from 'node:fs/promises';
import { type FileVersion, versionOf } from './text-file.js';

/** A larger file is not read to compare its content: a change in the file system's data counts as a change of the file. */
const comparedBytes = 10 * 1024 * 1024;

/** The versions of files that an agent has read or written. Others may change the files meanwhile. */
export class KnownFiles {
  readonly #versions = new Map<string, FileVersion>();

  /** Notes the version that the agent has read. */
  seen(place: string, version: FileVersion): void {
    this.#versions.set(place, version);
  }

  /** Notes the content that the agent has written. */
  async wrote(place: string, content: string): Promise<void> {
    this.#versions.set(place, versionOf(await stat(place, { bigint: true }), Buffer.from(content)));
  }

  /** True where a file has another content than the agent knows. False for files that the agent does not know, and for missing ones. */
  async hasChanged(place: string): Promise<boolean> {
    const known = this.#versions.get(place);
    if (known === undefined) return false;
    try {
      const now = versionOf(await stat(place, { bigint: true }));
      if (now.size === known.size && now.changed === known.changed && now.inode === known.inode) return false;
      if (now.size !== known.size || known.digest === undefined || now.size > comparedBytes) return true;
      // The file system's data has changed, but the content may be the same.
      return versionOf(await stat(place, { bigint: true }), await readFile(place)).digest !== known.digest;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
      throw error;
    }
  }
}

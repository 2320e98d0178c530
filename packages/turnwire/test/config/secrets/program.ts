import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Puts an executable of that name into a folder; `body` is what a POSIX shell runs. */
export async function program(folder: string, name: string, body: string): Promise<void> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
}

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstCharacters, lastCharacters } from '../../base/well-formed.js';

/** The most lines and characters of a result that the model is shown. */
const mostLines = 2000;
const mostCharacters = 50 * 1024;

/**
 * The short form of a result that is too large, for the model: the path of a file with all of it, and its end, or the beginning of a file that was read.
 * undefined for a result that is not too large.
 */
export async function limited(text: string, tool: string, session: string): Promise<string | undefined> {
  const lines = text.split('\n');
  if (lines.length <= mostLines && text.length <= mostCharacters) return undefined;
  const folder = folderOf(session);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${randomUUID()}.txt`);
  await writeFile(file, text, { mode: 0o600, flag: 'wx' });
  const fromStart = tool === 'read_file';
  const part = (fromStart ? lines.slice(0, mostLines) : lines.slice(-mostLines)).join('\n');
  const shown = fromStart ? firstCharacters(part, mostCharacters) : lastCharacters(part, mostCharacters);
  return `This result was too large (${Buffer.byteLength(text)} bytes). All of it is in ${file}. Its ${fromStart ? 'beginning' : 'end'}:\n\n${shown}`;
}

/** Deletes the files of a session. */
export async function forgetLarge(session: string): Promise<void> {
  await rm(folderOf(session), { recursive: true, force: true });
}

function folderOf(session: string): string {
  const name = createHash('sha256').update(session).digest('hex').slice(0, 32);
  return join(tmpdir(), `turnwire-results-${process.getuid?.() ?? ''}-${name}`);
}

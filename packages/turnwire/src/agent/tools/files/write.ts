import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { diffOf } from './diff.js';
import { replaceOnce } from './edit.js';
import type { KnownFiles } from './known-files.js';
import { byteOrderMark, readStart, readText } from './text-file.js';
import { defineTool, type Tool } from '../tool.js';
import { withPath, type Workspace } from './workspace.js';

const editLimit = 10 * 1024 * 1024;

export function writeTools(workspace: Workspace, known: KnownFiles): Tool[] {
  return [
    defineTool({
      name: 'write_file',
      description:
        'Writes a text file: a new one, or in place of the old one. Missing folders are made. A file that has changed since you read it is not written: read it again first.',
      readOnly: false,
      paths: workspace.paths(['path']),
      input: z.object({
        path: z.string().describe('The file, relative to the working directory.'),
        content: z.string().describe('The whole new content.'),
      }),
      preview: async ({ path, content }) => ({
        kind: 'diff',
        diff: diffOf(path, await before(workspace, path), content.replace(/^\uFEFF/, '')),
      }),
      run: ({ path, content }) =>
        withPath(path, async () => {
          const place = await workspace.resolve(path);
          if (await known.hasChanged(place))
            throw new Error(`${path} has changed since you read it. Nothing was written; read it again first`);
          await mkdir(dirname(place), { recursive: true });
          const whole =
            (await isMarked(place)) && !content.startsWith(byteOrderMark) ? byteOrderMark + content : content;
          await writeFile(place, whole);
          await known.wrote(place, whole);
          return `Wrote ${Buffer.byteLength(content)} bytes to ${path}.`;
        }),
    }),
    defineTool({
      name: 'edit_file',
      description:
        'Replaces passages of a text file, one edit after another. Each oldText must occur exactly once; ends of lines are alike. If one edit fails, the file stays as it was.',
      readOnly: false,
      paths: workspace.paths(['path']),
      input: z.object({
        path: z.string().describe('The file, relative to the working directory.'),
        edits: z
          .array(z.object({ oldText: z.string().min(1).describe('Exactly as in the file.'), newText: z.string() }))
          .min(1)
          .describe('What to replace by what.'),
      }),
      preview: async ({ path, edits }) => {
        const text = await before(workspace, path);
        return text === undefined ? undefined : { kind: 'diff', diff: diffOf(path, text, edited(text, edits)) };
      },
      run: ({ path, edits }) =>
        withPath(path, async () => {
          const place = await workspace.resolve(path);
          const changed = await known.hasChanged(place);
          const { text, marked, cut } = await readText(place, path, editLimit);
          if (cut > 0) throw new Error(`${path} is larger than 10 MiB; edit it with other means`);
          const content = edited(text, edits);
          const whole = marked ? byteOrderMark + content : content;
          await writeFile(place, whole);
          const said = `Made ${edits.length} ${edits.length === 1 ? 'edit' : 'edits'} in ${path}.`;
          // The changes of others are still in the file, and the agent does not know them: it must read before it writes again.
          if (changed) return `${said} The file had changed since you read it, elsewhere: read it again.`;
          await known.wrote(place, whole);
          return said;
        }),
    }),
  ];
}

/** True where the file exists and begins with a byte order mark. */
async function isMarked(place: string): Promise<boolean> {
  try {
    return (await readStart(place, place, 3)).bytes.toString() === byteOrderMark;
  } catch {
    // The file is new, or cannot be read; writing it will then fail too.
    return false;
  }
}

interface Edit {
  oldText: string;
  newText: string;
}

function edited(text: string, edits: readonly Edit[]): string {
  return edits.reduce((content, edit, index) => replaceOnce(content, unmarked(edit), index + 1), text);
}

/** The text of a file before it is written; undefined for a new file. */
async function before(workspace: Workspace, path: string): Promise<string | undefined> {
  const place = await workspace.resolve(path);
  try {
    return (await readText(place, path, editLimit)).text;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** An edit without a byte order mark, which stays at its place in the file and is no part of the text. */
function unmarked({ oldText, newText }: Edit): Edit {
  const without = (text: string): string => (text.startsWith(byteOrderMark) ? text.slice(1) : text);
  return { oldText: without(oldText), newText: without(newText) };
}

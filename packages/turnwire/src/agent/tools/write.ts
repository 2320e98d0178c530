import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { readText } from './text-file.js';
import { defineTool, type Tool } from './tool.js';
import { withPath, type Workspace } from './workspace.js';

const editLimit = 10 * 1024 * 1024;

export function writeTools(workspace: Workspace): Tool[] {
  return [
    defineTool({
      name: 'write_file',
      description: 'Writes a text file: a new one, or in place of the old one. Missing folders are made.',
      readOnly: false,
      paths: workspace.paths(['path']),
      input: z.object({
        path: z.string().describe('The file, relative to the working directory.'),
        content: z.string().describe('The whole new content.'),
      }),
      run: ({ path, content }) =>
        withPath(path, async () => {
          const place = await workspace.resolve(path);
          await mkdir(dirname(place), { recursive: true });
          await writeFile(place, content);
          return `Wrote ${Buffer.byteLength(content)} bytes to ${path}.`;
        }),
    }),
    defineTool({
      name: 'edit_file',
      description:
        'Replaces passages of a text file, one edit after another. Each oldText must occur exactly once. If one edit fails, the file stays as it was.',
      readOnly: false,
      paths: workspace.paths(['path']),
      input: z.object({
        path: z.string().describe('The file, relative to the working directory.'),
        edits: z
          .array(z.object({ oldText: z.string().min(1).describe('Exactly as in the file.'), newText: z.string() }))
          .min(1)
          .describe('What to replace by what.'),
      }),
      run: ({ path, edits }) =>
        withPath(path, async () => {
          const place = await workspace.resolve(path);
          const { text, cut } = await readText(place, path, editLimit);
          if (cut > 0) throw new Error(`${path} is larger than 10 MiB; edit it with other means`);
          const edited = edits.reduce((content, edit, index) => replaceOnce(content, edit, index + 1), text);
          await writeFile(place, edited);
          return `Made ${edits.length} ${edits.length === 1 ? 'edit' : 'edits'} in ${path}.`;
        }),
    }),
  ];
}

function replaceOnce(
  content: string,
  { oldText, newText }: { oldText: string; newText: string },
  number: number,
): string {
  const first = content.indexOf(oldText);
  if (first === -1) throw new Error(`edit ${number}: the oldText is not in the file; nothing was changed`);
  if (content.includes(oldText, first + 1)) {
    throw new Error(
      `edit ${number}: the oldText occurs more than once; give more of its surroundings. Nothing was changed`,
    );
  }
  return content.slice(0, first) + newText + content.slice(first + oldText.length);
}

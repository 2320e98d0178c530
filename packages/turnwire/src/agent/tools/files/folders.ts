import { lstat, mkdir, rm, rmdir } from 'node:fs/promises';
import { z } from 'zod';
import { ignoredBy } from './ignored.js';
import { defineTool, type Tool } from '../tool.js';
import { type Entry, entriesOf, walk } from './walk.js';
import { absolute, beyond, holds, withPath, type Workspace } from './workspace.js';

const mostEntries = 2000;

const folder = z.string().describe('The folder, relative to the working directory.');
const folders = z.array(z.string()).min(1).max(100).describe('The folders, relative to the working directory.');

export function folderTools(workspace: Workspace, ignoreVcs: boolean): Tool[] {
  return [
    defineTool({
      name: 'list_directory',
      description:
        'Lists what is in a folder, a line each: the name, with "/" for a folder and "@" for a symbolic link. Hidden files are included.',
      readOnly: true,
      paths: workspace.paths(['path']),
      beyond: async ({ path }) => beyond(workspace, [path]),
      input: z.object({ path: folder }),
      run: ({ path }, { mayLeave }) =>
        withPath(path, async () => {
          const entries = await entriesOf(await workspace.resolve(path, mayLeave));
          if (entries.length === 0) return `${path} is empty.`;
          const lines = entries.slice(0, mostEntries).map(label);
          return [...lines, ...cutNote(entries.length > mostEntries)].join('\n');
        }),
    }),
    defineTool({
      name: 'directory_tree',
      description:
        'Shows all that is below a folder, indented. Leaves out .git, node_modules and what git ignores, and does not follow symbolic links.',
      readOnly: true,
      paths: workspace.paths(['path']),
      beyond: async ({ path }) => beyond(workspace, [path]),
      input: z.object({
        path: folder,
        max_depth: z.int().min(1).max(100).optional().describe('Levels to show; all of them by default.'),
      }),
      run: ({ path, max_depth: levels = Infinity }, { signal, mayLeave }) =>
        withPath(path, async () => {
          const lines: string[] = [];
          const place = await workspace.resolve(path, mayLeave);
          const ignored = new Set([
            ...(await workspace.closed()),
            ...(ignoreVcs ? await ignoredBy(place, signal) : []),
          ]);
          for await (const entry of walk(place, signal, { levels, ignored })) {
            if (lines.length === mostEntries) return [...lines, ...cutNote(true)].join('\n');
            lines.push('  '.repeat(entry.depth) + label(entry));
          }
          return lines.length === 0 ? `${path} is empty.` : lines.join('\n');
        }),
    }),
    defineTool({
      name: 'create_directory',
      description: 'Makes folders, with those above them that are missing. A folder that exists is no error.',
      readOnly: false,
      paths: workspace.paths(['paths']),
      input: z.object({ paths: folders }),
      async run({ paths }) {
        for (const path of paths)
          await withPath(path, async () => mkdir(await workspace.resolve(path), { recursive: true }));
        return `Made ${paths.join(', ')}.`;
      },
    }),
    defineTool({
      name: 'remove_directory',
      description:
        'Removes folders. One that is not empty is removed only with recursive, together with all that is in it.',
      readOnly: false,
      paths: workspace.paths(['paths'], { deep: true }),
      input: z.object({ paths: folders, recursive: z.boolean().default(false) }),
      async run({ paths, recursive }) {
        for (const path of paths) await withPath(path, () => remove(workspace, path, recursive));
        return `Removed ${paths.join(', ')}.`;
      },
    }),
  ];
}

async function remove(workspace: Workspace, path: string, recursive: boolean): Promise<void> {
  const place = await workspace.resolve(path);
  if (place === workspace.root) throw new Error('the working directory itself is not removed');
  for (const folder of await workspace.closed())
    if (holds(place, folder)) throw new Error(`${path} holds ${folder}, which the "deny_list" of the file names`);
  // `resolve` follows a link to a folder that the path does not name, so the path itself must not be a link.
  if ((await lstat(absolute(workspace.root, path))).isSymbolicLink())
    throw new Error(`${path} is a symbolic link, not a folder`);
  if (!(await lstat(place)).isDirectory()) throw new Error(`${path} is not a directory`);
  await (recursive ? rm(place, { recursive: true }) : rmdir(place));
}

function label({ name, kind }: Entry): string {
  return name + { directory: '/', link: '@', file: '', other: '' }[kind];
}

function cutNote(cut: boolean): string[] {
  return cut ? [`[cut after ${mostEntries} entries]`] : [];
}

import { z } from 'zod';
import { readText } from './text-file.js';
import { defineTool, type Tool } from './tool.js';
import { withPath, type Workspace } from './workspace.js';

/** What one call may bring into the conversation, in bytes: about 64,000 tokens. */
const readLimit = 256 * 1024;
const mostFiles = 100;

export function readTools(workspace: Workspace): Tool[] {
  const read = (path: string, limit: number) =>
    withPath(path, async () => {
      const { text, size, cut } = await readText(await workspace.resolve(path), path, limit);
      return cut === 0 ? text : `${text}\n[cut: the last ${cut} of ${size} bytes of ${path} are not shown]`;
    });
  return [
    defineTool({
      name: 'read_file',
      description:
        'Returns the content of a text file. Longer than 256 KiB, it is cut, and the end says how much is missing.',
      readOnly: true,
      paths: workspace.paths(['path']),
      revealing: true,
      input: z.object({ path: z.string().describe('The file, relative to the working directory.') }),
      run: ({ path }) => read(path, readLimit),
    }),
    defineTool({
      name: 'read_multiple_files',
      description:
        'Returns the contents of several text files, each after a line with its path. They share a limit of 256 KiB.',
      readOnly: true,
      paths: workspace.paths(['paths']),
      revealing: true,
      restrictedAs: 'read_file',
      input: z.object({
        paths: z.array(z.string()).min(1).max(mostFiles).describe('The files, relative to the working directory.'),
      }),
      async run({ paths }, { signal }) {
        const parts: string[] = [];
        // An even share, so that one long file does not hide the others.
        const share = Math.floor(readLimit / paths.length);
        for (const path of paths) {
          signal.throwIfAborted();
          parts.push(`=== ${path} ===\n${await read(path, share).catch((error: Error) => `Error: ${error.message}`)}`);
        }
        return parts.join('\n');
      },
    }),
  ];
}

import { z } from 'zod';
import { imageContent, imageLimit, imageType } from '../image.js';
import type { KnownFiles } from './known-files.js';
import { sizeText, toOutput } from '../output.js';
import { readStart, textOf } from './text-file.js';
import { defineTool, type Tool, type ToolContent, type ToolContext } from '../tool.js';
import { beyond, withPath, type Workspace } from './workspace.js';

/** The most bytes of text that one call may return: about 64,000 tokens. Images have a limit of their own. */
const readLimit = 256 * 1024;
const mostFiles = 100;
/** The most characters of images that one call may return, in base64. */
const mostShown = 2 * imageLimit;

export function readTools(workspace: Workspace, known: KnownFiles): Tool[] {
  const read = (path: string, limit: number, { mayLeave }: ToolContext): Promise<ToolContent> =>
    withPath(path, async () => {
      const place = await workspace.resolve(path, mayLeave);
      const start = await readStart(place, path, limit);
      if (imageType(start.bytes) !== undefined) return readImage(place, path);
      const { text } = textOf(start, path);
      known.seen(place, start.version);
      const { size, cut } = start;
      const note = cut === 0 ? '' : `\n[cut: the last ${cut} of ${size} bytes of ${path} are not shown]`;
      return toText(text + note);
    });
  return [
    defineTool({
      name: 'read_file',
      description:
        'Returns the content of a text file, or shows a picture (PNG, JPEG, GIF, WebP). A text longer than 256 KiB is cut, and the end says how much is missing.',
      readOnly: true,
      paths: workspace.paths(['path']),
      beyond: async ({ path }) => beyond(workspace, [path]),
      revealing: true,
      input: z.object({ path: z.string().describe('The file, relative to the working directory.') }),
      run: async ({ path }, context) => toOutput([await read(path, readLimit, context)]),
    }),
    defineTool({
      name: 'read_multiple_files',
      description:
        'Returns the contents of several text files, each after a line with its path, and shows pictures. The texts share a limit of 256 KiB.',
      readOnly: true,
      paths: workspace.paths(['paths']),
      beyond: async ({ paths }) => beyond(workspace, paths),
      revealing: true,
      restrictedAs: 'read_file',
      input: z.object({
        paths: z.array(z.string()).min(1).max(mostFiles).describe('The files, relative to the working directory.'),
      }),
      async run({ paths }, context) {
        const parts: ToolContent[] = [];
        // The texts get equal shares, so that one long file does not hide the others.
        const share = Math.floor(readLimit / paths.length);
        let shown = 0;
        for (const path of paths) {
          context.signal.throwIfAborted();
          parts.push(toText(`=== ${path} ===`));
          const part = await read(path, share, context).catch((error: Error) => toText(`Error: ${error.message}`));
          shown += part.type === 'input_image' ? part.image_url.length : 0;
          const isTooMuch = part.type === 'input_image' && shown > mostShown;
          parts.push(isTooMuch ? toText('[not shown: the pictures before it are all that one call shows]') : part);
        }
        return toOutput(parts);
      },
    }),
  ];
}

function toText(text: string): ToolContent {
  return { type: 'input_text', text };
}

async function readImage(place: string, path: string): Promise<ToolContent> {
  const { bytes, size, cut } = await readStart(place, path, imageLimit);
  if (cut > 0) throw new Error(`${path} is a picture of ${sizeText(size)}, and ${sizeText(imageLimit)} can be shown`);
  return imageContent(bytes, path);
}

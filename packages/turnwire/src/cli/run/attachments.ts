import { basename, resolve } from 'node:path';
import { homedir } from 'node:os';
import { imageContent, imageLimit, imageType } from '../../agent/tools/image.js';
import { readStart, textOf } from '../../agent/tools/files/text-file.js';
import type { ToolContent } from '../../agent/tools/tool.js';
import { UsageError } from '../process/usage-error.js';

/** The largest text, in bytes. */
const textLimit = 256 * 1024;
/** The most files that one prompt may bring. */
export const mostAttachments = 10;

/** A file that is sent with a prompt. */
export interface Attachment {
  name: string;
  content: ToolContent;
}

/**
 * Reads a picture (PNG, JPEG, GIF, WebP) or a text that the user attaches.
 *
 * @throws UsageError for a file that cannot be read, is too large, or is neither
 */
export async function readAttachment(path: string, cwd: string): Promise<Attachment> {
  const name = basename(path);
  const place = resolve(cwd, path.replace(/^~(?=\/|$)/, homedir()));
  try {
    const start = await readStart(place, path, imageLimit);
    if (imageType(start.bytes) !== undefined) {
      if (start.cut > 0) throw new Error(`${path} is a picture of more than 4 MiB`);
      return { name, content: imageContent(start.bytes, name) };
    }
    if (start.size > textLimit) throw new Error(`${path} is no picture, and a text may have 256 KiB`);
    return { name, content: { type: 'input_text', text: `From ${name}:\n\n${textOf(start, path).text}` } };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${path} cannot be attached: ${reason}`, { cause: error });
  }
}

import { sizeText } from './output.js';
import type { ToolContent } from './tool.js';

/** The largest image, in bytes. In base64 it grows by a third, and it is sent again with every turn that cannot be continued. */
export const imageLimit = 4 * 1024 * 1024;

/** The image types that the API accepts, with their first bytes. */
const signatures: readonly { type: string; fits: (bytes: Buffer) => boolean }[] = [
  { type: 'image/png', fits: (bytes) => bytes.subarray(0, 8).equals(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')) },
  { type: 'image/jpeg', fits: (bytes) => bytes.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff])) },
  { type: 'image/gif', fits: (bytes) => /^GIF8[79]a/.test(bytes.toString('latin1', 0, 6)) },
  { type: 'image/webp', fits: (bytes) => /^RIFF.{4}WEBP/s.test(bytes.toString('latin1', 0, 12)) },
];

/** The type of an image that the API accepts; undefined for any other content. The bytes decide, since a name or a header may be wrong. */
export function imageType(bytes: Buffer): string | undefined {
  return signatures.find(({ fits }) => fits(bytes))?.type;
}

/**
 * An image for the model. An image that the API would refuse becomes a sentence instead: in the history it would make every later turn fail.
 *
 * @param what the name of the image in that sentence, such as "the image of type image/bmp"
 */
export function imageContent(bytes: Buffer, what: string): ToolContent {
  const notShown = (why: string): ToolContent => ({ type: 'input_text', text: `[${what} is not shown: ${why}]` });
  const type = imageType(bytes);
  if (type === undefined) return notShown('it is no PNG, JPEG, GIF or WebP');
  if (bytes.length > imageLimit) return notShown(`it has ${sizeText(bytes.length)}, more than ${sizeText(imageLimit)}`);
  return { type: 'input_image', image_url: `data:${type};base64,${bytes.toString('base64')}` };
}

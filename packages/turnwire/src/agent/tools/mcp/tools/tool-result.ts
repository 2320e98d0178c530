import { HeadAndTail } from '../../commands/head-and-tail.js';
import { imageContent } from '../../image.js';
import { sizeText, toOutput } from '../../output.js';
import type { ToolContent, ToolOutput } from '../../tool.js';
import { type Fields, isFields } from '../message.js';

/** The most bytes that one call may return, of texts and of images. */
const textLimit = 256 * 1024;
const imagesLimit = 8 * 1024 * 1024;

export interface McpResult {
  output: ToolOutput;
  /** True where the tool says that it has failed. */
  failed: boolean;
}

/**
 * The readable parts of a result: its content; without that its structured content; without both, any field. Null counts as missing everywhere; a part that
 * cannot be shown is named.
 */
export function readResult(result: unknown): McpResult {
  const fields = isFields(result) ? result : { content: result };
  const { content, structuredContent, isError, _meta, ...rest } = fields;
  const parts = (Array.isArray(content) ? (content as unknown[]) : [content]).flatMap(readPart);
  if (isEmpty(parts) && structuredContent !== undefined && structuredContent !== null)
    parts.splice(0, Infinity, text(JSON.stringify(structuredContent)));
  if (isEmpty(parts) && Object.values(rest).some((value) => value !== null))
    parts.splice(0, Infinity, text(JSON.stringify(rest)));
  const failed = isError === true || isError === 'true';
  if (isEmpty(parts)) return { output: failed ? 'the tool failed without a word' : '(no output)', failed };
  return { output: toOutput(bounded(parts)), failed };
}

function isEmpty(parts: readonly ToolContent[]): boolean {
  return parts.every((part) => part.type === 'input_text' && part.text === '');
}

function text(said: string): ToolContent {
  return { type: 'input_text', text: said.toWellFormed() };
}

function readPart(part: unknown): ToolContent[] {
  if (part === null || part === undefined) return [];
  if (!isFields(part)) return [text(typeof part === 'string' ? part : JSON.stringify(part))];
  const { type } = part;
  const reader = typeof type === 'string' && Object.hasOwn(readers, type) ? readers[type] : undefined;
  return [reader?.(part) ?? unknownPart(part)];
}

/** Readers of the known part types; undefined where a part lacks the field that makes it one. */
const readers: Readonly<Record<string, (part: Fields) => ToolContent | undefined>> = {
  text: (part) => plainText(part),
  image: ({ data, mimeType }) => (typeof data === 'string' ? blob(data, `the image${ofType(mimeType)}`) : undefined),
  audio: ({ data, mimeType }) =>
    typeof data === 'string' ? notShown(`the audio${ofType(mimeType)}`, bytesOf(data)) : undefined,
  resource: ({ resource }) => (isFields(resource) ? readResource(resource) : undefined),
  resource_link: ({ uri, name, title, description, mimeType }) => {
    if (typeof uri !== 'string') return undefined;
    const [label] = textsIn(title, name);
    const about = textsIn(description, mimeType);
    const link = label === undefined ? uri : `${label}: ${uri}`;
    return text(about.length === 0 ? link : `${link} (${about.join(', ')})`);
  },
};

function textsIn(...values: unknown[]): string[] {
  return values.filter((value): value is string => typeof value === 'string' && value !== '');
}

function readResource(resource: Fields): ToolContent | undefined {
  const { uri, mimeType, blob: data } = resource;
  const said = plainText(resource);
  if (said !== undefined) return said;
  if (typeof data !== 'string') return undefined;
  const what = `the resource${typeof uri === 'string' ? ` ${uri}` : ''}${ofType(mimeType)}`;
  if (typeof mimeType === 'string' && mimeType.startsWith('image/')) return blob(data, what);
  return notShown(what, bytesOf(data));
}

function plainText({ text: said }: Fields): ToolContent | undefined {
  if (said === undefined || said === null) return undefined;
  return text(typeof said === 'string' ? said : JSON.stringify(said));
}

function unknownPart(part: Fields): ToolContent {
  const { type, mimeType } = part;
  return plainText(part) ?? notShown(typeof type === 'string' ? `a part of type ${type}` : `a part${ofType(mimeType)}`);
}

function ofType(mimeType: unknown): string {
  return typeof mimeType === 'string' ? ` of type ${mimeType}` : '';
}

function notShown(what: string, bytes?: Buffer): ToolContent {
  return text(`[${what}${bytes === undefined ? '' : ` (${sizeText(bytes.length)})`} is not shown]`);
}

function blob(data: string, what: string): ToolContent {
  return imageContent(bytesOf(data), what);
}

/** The bytes of base64 in either alphabet, or of a data URL. */
function bytesOf(data: string): Buffer {
  return Buffer.from(data.replace(/^data:[^,]*,/, ''), 'base64');
}

/** Bounds the parts: texts share one limit and are cut in the middle; images share another, and those beyond it are left out. */
function bounded(parts: readonly ToolContent[]): ToolContent[] {
  const sizes = parts.map((part) => (part.type === 'input_text' ? Buffer.byteLength(part.text) : 0));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let room = imagesLimit;
  return parts.map((part, index) => {
    if (part.type === 'input_image') {
      room -= part.image_url.length;
      return room >= 0 ? part : text(`[an image is not shown: all of them have more than ${sizeText(imagesLimit)}]`);
    }
    if (total <= textLimit) return part;
    const kept = new HeadAndTail(Math.max(256, Math.floor((textLimit * (sizes[index] ?? 0)) / total)));
    kept.add(Buffer.from(part.text));
    return text(kept.toString());
  });
}

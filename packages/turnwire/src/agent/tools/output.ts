import type { ToolContent, ToolOutput } from './tool.js';

/** The output of a call as a text for people, hooks and programs: images are shown by type and size. */
export function outputText(output: ToolOutput): string {
  return typeof output === 'string' ? output : output.map(partText).join('\n');
}

/** Joins parts into the shortest output: neighbouring texts become one, and an output of texts alone is a string. */
export function toOutput(parts: readonly ToolContent[]): ToolOutput {
  const joined: ToolContent[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (part.type === 'input_text' && last?.type === 'input_text')
      joined[joined.length - 1] = { ...last, text: `${last.text}\n${part.text}` };
    else joined.push(part);
  }
  const [only] = joined;
  return joined.length === 1 && only?.type === 'input_text' ? only.text : joined;
}

/** The output with a note of turnwire's right behind its text. */
export function withNote(output: ToolOutput, note: string): ToolOutput {
  if (note === '') return output;
  return typeof output === 'string' ? output + note : toOutput([...output, { type: 'input_text', text: note }]);
}

/** The output with another text, and the same images. */
export function withText(output: ToolOutput, text: string): ToolOutput {
  if (typeof output === 'string') return text;
  return toOutput([{ type: 'input_text', text }, ...output.filter(({ type }) => type !== 'input_text')]);
}

function partText(part: ToolContent): string {
  if (part.type === 'input_text') return part.text;
  const [, type = 'image', data = ''] = /^data:([^;,]*);base64,(.*)$/s.exec(part.image_url) ?? [];
  return `[${type}, ${sizeText(Buffer.byteLength(data, 'base64'))}]`;
}

/** A number of bytes in a form for people. */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 ** 2 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

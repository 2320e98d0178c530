import { HeadAndTail } from '../tools/commands/head-and-tail.js';
import type { ToolOutput } from '../tools/tool.js';

/** The number of bytes that count as a token, as in docker-agent. */
const bytesPerToken = 4;

/** Cuts an output to a number of tokens: the beginning and the end of each text stay. Images stay whole. */
export function bounded(output: ToolOutput, tokens: number): ToolOutput {
  if (tokens === Infinity) return output;
  if (typeof output === 'string') return cut(output, tokens * bytesPerToken);
  const texts = output.filter(({ type }) => type === 'input_text').length;
  const share = Math.floor((tokens * bytesPerToken) / Math.max(1, texts));
  return output.map((part) => (part.type === 'input_text' ? { ...part, text: cut(part.text, share) } : part));
}

function cut(text: string, bytes: number): string {
  const kept = new HeadAndTail(bytes);
  kept.add(Buffer.from(text));
  return kept.toString();
}

import type { InputItem, Response, Usage } from '@turnwire/client';
import type { Agent } from '../../config/agent.js';
import type { Model } from '../../config/models/model.js';
import { isPrompt, isSelfContained } from './pairing.js';
import { textOf } from '../sessions/transcript.js';
import { outputText } from '../tools/output.js';
import type { ToolOutput } from '../tools/tool.js';
import { firstCharacters, lastCharacters } from '../base/well-formed.js';

/** About so many characters are a token. docker-agent's number, and on the safe side for English. */
const charactersPerToken = 4;
/** Of the context window: what the transcript to be summed up may fill. */
const transcriptShare = 0.5;
/** Of the context window: what of the newest items stays as it is. */
const keptShare = 0.2;
/** Of the context window: what the newest calls and their answers may fill, and stay. A model that does not see what it has just done does it again. */
const newestShare = 0.5;
/** Where the window is not known: what an overflowing history is taken to be a multiple of. */
const overflowShare = 0.5;
/** Of one item in the transcript, in characters: a long result is there to be known of, not to be read again. */
const longestItem = 4000;
/** What an image counts as, in characters: what it costs goes by its pixels, and not by the length of its base64. */
const imageCharacters = 4000;

export const summaryInstructions =
  'You sum up a conversation between a user and an agent with tools, so that the agent can go on from your summary alone. Say what the user wants, in their own words where they matter; what was decided; what was done, with the names of files, commands and results that are still needed; what failed; and what is left to do. Do not go on with the task.';

/** The tokens that the next turn will bring to the model: as the last one was counted, and an estimate of what has come since. */
export function estimate(usage: Usage | null | undefined, since: readonly InputItem[]): number {
  return (usage?.input_tokens ?? 0) + (usage?.output_tokens ?? 0) + tokensOf(since);
}

/** Whether a history of so many tokens has to be compacted first. Never, where the file does not say how large the window is. */
export function isNearLimit(
  tokens: number,
  { contextSize, compactionThreshold }: Model,
  { compactionThreshold: otherwise }: Pick<Agent, 'compactionThreshold'>,
): boolean {
  return contextSize !== undefined && tokens >= contextSize * (compactionThreshold ?? otherwise);
}

/** How a history is divided: what is summed up, and what stays. */
export interface HistorySplit {
  /** The request for the summary: one message, so that nothing in it has to be paired. */
  request: readonly InputItem[];
  /** The last prompt, if it would be lost otherwise, and the newest items. */
  kept: readonly InputItem[];
}

/** Undefined where there is nothing to sum up. */
export function splitHistory(
  items: readonly InputItem[],
  { contextSize }: Pick<Model, 'contextSize'>,
): HistorySplit | undefined {
  const window = contextSize ?? tokensOf(items) * overflowShare;
  let start = items.length;
  let best = items.length;
  let room = window * keptShare;
  while (start > 1 && room > 0) {
    start -= 1;
    room -= tokensOf(items.slice(start, start + 1));
    if (room > 0 && isSelfContained(items, start)) best = start;
  }
  if (best === items.length) {
    const newest = items.findLastIndex((_, index) => isSelfContained(items, index));
    if (tokensOf(items.slice(newest)) <= window * newestShare) best = newest;
  }
  const before = items.slice(0, best);
  if (before.length < 2) return undefined;
  const tail = items.slice(best);
  const prompt = tail.some(isPrompt) ? undefined : before.findLast(isPrompt);
  const transcript = endOf(before.map(line), window * transcriptShare * charactersPerToken);
  return {
    request: [{ type: 'message', role: 'user', content: `Sum up this conversation.\n\n${transcript}` }],
    kept: prompt === undefined ? tail : [shortened(prompt, window), ...tail],
  };
}

/** The history after a compaction. */
export function compacted(summary: string, kept: readonly InputItem[]): InputItem[] {
  const note = `What was said and done so far, summed up because the conversation had become too long:\n\n${summary}`;
  return [{ type: 'message', role: 'user', content: note }, ...kept];
}

/** Its text, of all messages; empty if it has none. */
export function summaryOf(response: Response): string {
  return response.output
    .flatMap((item) => (item.type === 'message' && Array.isArray(item.content) ? item.content : []))
    .map(({ text = '' }) => text)
    .join('')
    .trim();
}

function tokensOf(items: readonly InputItem[]): number {
  const known = (_: string, value: unknown): unknown =>
    typeof value === 'string' && value.startsWith('data:image/') ? value.slice(0, imageCharacters) : value;
  return items.reduce((sum, item) => sum + JSON.stringify(item, known).length, 0) / charactersPerToken;
}

function line(item: InputItem): string {
  if ('role' in item) return `${String(item.role)}: ${cut(textOf(item.content))}`;
  if (item.type === 'function_call') return `call of ${item.name}: ${cut(item.arguments)}`;
  if (item.type === 'custom_tool_call') return `call of ${item.name}: ${cut(item.input)}`;
  if (item.type === 'function_call_output' || item.type === 'custom_tool_call_output')
    return `result: ${cut(outputText(item.output as ToolOutput))}`;
  // Reasoning is the model's own, and encrypted; of other items the type says most.
  return item.type === 'reasoning' ? '' : `(${item.type})`;
}

function cut(text: string): string {
  const half = longestItem / 2;
  return text.length <= longestItem ? text : `${firstCharacters(text, half)} […] ${lastCharacters(text, half)}`;
}

function endOf(lines: readonly string[], most: number): string {
  const text = lines.filter((each) => each !== '').join('\n');
  return text.length <= most ? text : `[…]${lastCharacters(text, Math.floor(most))}`;
}

/** A prompt that would fill the window by itself is cut: it was what overflowed. */
function shortened(prompt: InputItem, window: number): InputItem {
  const most = Math.floor(window * keptShare * charactersPerToken);
  if (!('role' in prompt) || typeof prompt.content !== 'string' || prompt.content.length <= most) return prompt;
  return { ...prompt, content: `${firstCharacters(prompt.content, most)}\n[cut: the prompt was too long]` };
}

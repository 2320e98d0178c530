import type { InputItem, Response, Usage } from '@turnwire/client';
import type { Agent } from '../../config/agent.js';
import type { Model } from '../../config/models/model.js';
import { isPrompt, isSelfContained } from './pairing.js';
import { textOf } from '../sessions/transcript.js';
import { outputText } from '../tools/output.js';
import type { ToolOutput } from '../tools/tool.js';
import { firstCharacters, lastCharacters } from '../base/well-formed.js';

/** The number of characters that count as a token. It is docker-agent's, and on the safe side for English. */
const charactersPerToken = 4;
/** The part of the context window that the transcript for the summary may fill. */
const transcriptShare = 0.5;
/** The part of the context window that the newest items may fill and stay. */
const keptShare = 0.2;
/** The part of the context window that the newest calls and their answers may fill and stay. A model that does not see its latest calls makes them again. */
const newestShare = 0.5;
/** An unknown window is assumed to hold this part of the history that was too long for it. */
const overflowShare = 0.5;
/** The most characters of one item in the transcript: a long result need only be mentioned. */
const longestItem = 4000;
/** The characters that an image counts as: its cost depends on its pixels, and not on the length of its base64. */
const imageCharacters = 4000;

export const summaryInstructions =
  'You sum up a conversation between a user and an agent with tools, so that the agent can go on from your summary alone. Say what the user wants, in their own words where they matter; what was decided; what was done, with the names of files, commands and results that are still needed; what failed; and what is left to do. Do not go on with the task.';

/** The tokens that the next turn will send to the model: the counted ones of the last turn, and an estimate of the items since then. */
export function estimate(usage: Usage | null | undefined, since: readonly InputItem[]): number {
  return (usage?.input_tokens ?? 0) + (usage?.output_tokens ?? 0) + tokensOf(since);
}

/** True where a history of so many tokens must be compacted first. False where the agent file does not say how large the window is. */
export function isNearLimit(
  tokens: number,
  { contextSize, compactionThreshold }: Model,
  { compactionThreshold: otherwise }: Pick<Agent, 'compactionThreshold'>,
): boolean {
  return contextSize !== undefined && tokens >= contextSize * (compactionThreshold ?? otherwise);
}

/** The two parts of a history: the items to sum up, and the items to keep. */
export interface HistorySplit {
  /** The input of the turn that writes the summary: a single message, so that no call in it needs an answer. */
  request: readonly InputItem[];
  /** The newest items, and before them the last prompt, if it would be lost otherwise. */
  kept: readonly InputItem[];
}

/** Divides a history; undefined where there is nothing to sum up. */
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

/** The text of a response, over all messages; empty if it has none. */
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
  // Reasoning is encrypted and readable by the model alone; of other item types the type is enough.
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

/** Cuts a prompt that would fill the window by itself. */
function shortened(prompt: InputItem, window: number): InputItem {
  const most = Math.floor(window * keptShare * charactersPerToken);
  if (!('role' in prompt) || typeof prompt.content !== 'string' || prompt.content.length <= most) return prompt;
  return { ...prompt, content: `${firstCharacters(prompt.content, most)}\n[cut: the prompt was too long]` };
}

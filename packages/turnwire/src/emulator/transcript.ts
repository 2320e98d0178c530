import { Refusal } from './refusal.js';
import { isRecord, type Item } from './wire.js';

/** The full logical context of a turn: what the server knew by id, then the new input. */
export type Transcript = readonly Item[];

/** Client-owned results and the calls they answer, with the words the API uses for both. */
const ANSWERS = [
  {
    output: 'function_call_output',
    call: 'function_call',
    outputName: 'function call output',
    callName: 'function call',
  },
  {
    output: 'custom_tool_call_output',
    call: 'custom_tool_call',
    outputName: 'custom tool call output',
    callName: 'custom tool call',
  },
] as const;

/** Items that come from the caller although their role or name does not say so. */
const CALLER_ITEMS = new Set(['mcp_approval_response', 'item_reference', 'compaction']);

function isFromModel(item: Item): boolean {
  const type = item.type ?? 'message';
  if (type === 'message') return item['role'] === 'assistant';
  return !type.endsWith('_output') && !CALLER_ITEMS.has(type);
}

/** Each time the model spoke: the runs of its items between what the caller said. */
export function modelTurns(transcript: Transcript): readonly (readonly Item[])[] {
  const turns: Item[][] = [];
  let current: Item[] | undefined;
  for (const item of transcript) {
    if (!isFromModel(item)) {
      current = undefined;
    } else if (current === undefined) {
      turns.push((current = [item]));
    } else {
      current.push(item);
    }
  }
  return turns;
}

/** The text of a message or of a tool's output; parts that are not text are left out. */
function textOf(item: Item): string {
  const content = item['content'] ?? item['output'];
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => (isRecord(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .join('');
}

/** The last user message anywhere in the context; empty if there is none. */
export function lastUserText(transcript: Transcript): string {
  const message = transcript.findLast((item) => (item.type ?? 'message') === 'message' && item['role'] === 'user');
  return message === undefined ? '' : textOf(message);
}

/** What is new to the model: the user messages and tool outputs after its last words, a line break between them. */
export function unansweredText(transcript: Transcript): string {
  const fresh = transcript.slice(transcript.findLastIndex(isFromModel) + 1);
  return fresh
    .filter((item) => item['role'] === 'user' || item.type?.endsWith('_output') === true)
    .map(textOf)
    .join('\n');
}

/** The text of the outputs of client-owned calls, by `call_id`. */
export function outputsByCall(transcript: Transcript): ReadonlyMap<string, string> {
  const outputs = new Map<string, string>();
  for (const item of transcript) {
    const { call_id: callId } = item;
    if (typeof callId === 'string' && item.type?.endsWith('_output') === true) outputs.set(callId, textOf(item));
  }
  return outputs;
}

/** Refuses an output whose call the context does not hold before it. */
export function refuseOrphanOutputs(transcript: Transcript): void {
  const calls = new Set<unknown>();
  for (const item of transcript) {
    for (const answer of ANSWERS) {
      if (item.type === answer.call) calls.add(`${answer.call} ${String(item['call_id'])}`);
      if (item.type !== answer.output || calls.has(`${answer.call} ${String(item['call_id'])}`)) continue;
      throw new Refusal(`No tool call found for ${answer.outputName} with call_id ${String(item['call_id'])}.`, {
        param: 'input',
      });
    }
  }
}

/** Refuses a context in which the model waits for a result that nobody brings. */
export function refuseDanglingCalls(transcript: Transcript): void {
  for (const answer of ANSWERS) {
    const answered = new Set<unknown>();
    for (const item of transcript) if (item.type === answer.output) answered.add(item['call_id']);
    for (const item of transcript) {
      if (item.type !== answer.call || answered.has(item['call_id'])) continue;
      throw new Refusal(`No tool output found for ${answer.callName} ${String(item['call_id'])}.`, { param: 'input' });
    }
  }
}

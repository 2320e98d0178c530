import { compactedTurns } from './items/compaction.js';
import { Refusal } from './refusal.js';
import { isRecord, type Item } from './wire.js';

/** The full logical context of a turn: what the server knew by id, then the new input. */
export type Transcript = readonly Item[];

/** The results a client owes, the calls they answer, the fields that tie both, and the words the API has for them. */
const ANSWERS = [
  ...[
    { call: 'function_call', name: 'function call' },
    { call: 'custom_tool_call', name: 'custom tool call' },
    { call: 'shell_call', name: 'shell call' },
    { call: 'apply_patch_call', name: 'apply patch call' },
    { call: 'computer_call', name: 'computer call' },
  ].map(({ call, name }) => ({ call, callKey: 'call_id', output: `${call}_output`, outputKey: 'call_id', name })),
  {
    call: 'mcp_approval_request',
    callKey: 'id',
    output: 'mcp_approval_response',
    outputKey: 'approval_request_id',
    name: 'MCP approval request',
  },
] as const;

const CALL_TYPES: ReadonlySet<unknown> = new Set(ANSWERS.map(({ call }) => call));

/** True for a call that the client has to answer; the server answers those of a hosted shell itself. */
export function isClientCall(item: Item): boolean {
  return CALL_TYPES.has(item.type) && !isHosted(item);
}

function isHosted({ environment }: Item): boolean {
  return isRecord(environment) && environment['type'] === 'container_reference';
}

/** Items that come from the caller although their role or name does not say so. */
const CALLER_ITEMS = new Set(['mcp_approval_response', 'item_reference', 'compaction']);

/** Tells the model's items from the caller's: by their kind, and an output by who ran its call. */
function fromModel(transcript: Transcript): (item: Item) => boolean {
  const hostedCalls = new Set<unknown>();
  for (const item of transcript) if (isHosted(item)) hostedCalls.add(item['call_id']);
  return (item) => {
    const type = item.type ?? 'message';
    if (type === 'message') return item['role'] === 'assistant';
    if (type === 'tool_search_output') return item['execution'] !== 'client';
    if (type === 'shell_call_output') return hostedCalls.has(item['call_id']);
    return !type.endsWith('_output') && !CALLER_ITEMS.has(type);
  };
}

/** Each time the model spoke: the runs of its items between what the caller said. */
export function modelTurns(transcript: Transcript): readonly (readonly Item[])[] {
  const isFromModel = fromModel(transcript);
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

/** What the model still sees: the last compaction and what follows it, and how often the model had spoken before. */
export function sinceCompaction(transcript: Transcript): { readonly turns: number; readonly items: Transcript } {
  const index = transcript.findLastIndex(({ type }) => type === 'compaction');
  const compaction = transcript[index];
  if (compaction === undefined) return { turns: 0, items: transcript };
  return { turns: compactedTurns(compaction), items: transcript.slice(index) };
}

/** How often the model has spoken, before a compaction too. */
export function turnsSpoken(transcript: Transcript): number {
  const { turns, items } = sinceCompaction(transcript);
  return turns + modelTurns(items).length;
}

/** The text of a message or of a tool's output; parts that are not text are left out. */
function textOf(item: Item): string {
  const content = item['content'] ?? item['output'];
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => (isRecord(part) ? (part['text'] ?? part['stdout']) : ''))
    .filter((text) => typeof text === 'string')
    .join('');
}

/** The last user message anywhere in the context; empty if there is none. */
export function lastUserText(transcript: Transcript): string {
  const message = transcript.findLast((item) => (item.type ?? 'message') === 'message' && item['role'] === 'user');
  return message === undefined ? '' : textOf(message);
}

/** What is new to the model: the user messages and tool outputs after its last words, a line break between them. */
export function unansweredText(transcript: Transcript): string {
  const fresh = transcript.slice(transcript.findLastIndex(fromModel(transcript)) + 1);
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
    for (const { call, callKey, output, outputKey, name } of ANSWERS) {
      if (item.type === call) calls.add(`${call} ${String(item[callKey])}`);
      if (item.type !== output || calls.has(`${call} ${String(item[outputKey])}`)) continue;
      const what = name === 'MCP approval request' ? 'MCP approval response' : `${name} output`;
      throw new Refusal(`No tool call found for ${what} with ${outputKey} ${String(item[outputKey])}.`, {
        param: 'input',
      });
    }
  }
}

/** Refuses a context in which the model waits for a result that nobody brings. */
export function refuseDanglingCalls(transcript: Transcript): void {
  for (const { call, callKey, output, outputKey, name } of ANSWERS) {
    const answered = new Set<unknown>();
    for (const item of transcript) if (item.type === output) answered.add(item[outputKey]);
    for (const item of transcript) {
      if (item.type !== call || isHosted(item) || answered.has(item[callKey])) continue;
      const lacking = name === 'MCP approval request' ? 'approval' : 'tool output';
      throw new Refusal(`No ${lacking} found for ${name} ${String(item[callKey])}.`, { param: 'input' });
    }
  }
}

/** Refuses a context that holds two items of one id. */
export function refuseDuplicateIds(transcript: Transcript): void {
  const seen = new Set<unknown>();
  for (const { id } of transcript) {
    if (typeof id !== 'string') continue;
    if (seen.has(id)) {
      const message = `Duplicate item found with id ${id}. Remove duplicate items from your input and try again.`;
      throw new Refusal(message, { param: 'input' });
    }
    seen.add(id);
  }
}
